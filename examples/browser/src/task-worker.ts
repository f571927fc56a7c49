// What each thread of a merge runs.
import '@mk/merge/browser/worker'
