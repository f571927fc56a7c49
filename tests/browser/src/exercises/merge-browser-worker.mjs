// Outside of a worker it does nothing; in one, the example page merges with it.
import * as worker from '@mk/merge/browser/worker'

console.log(Object.keys(worker))
