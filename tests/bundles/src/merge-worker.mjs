// The entry that becomes the worker of a bundle.
import '@mk/merge/worker'
