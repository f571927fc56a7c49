/**
 * Keeps workers running, as whoever runs machines does: one that has ended is started anew.
 * @param {Awaited<ReturnType<typeof import('../workplace.mjs').openWorkplace>>} place
 * @param {readonly string[]} options of mk-queue work
 */
export function keepWorkers(place, options) {
  const running = new Set()
  let isOver = false
  const startOne = () => {
    const worker = place.start(['mk-queue', 'work', '--threads', '1', ...options], { timeoutMs: 200_000 })
    running.add(worker)
    void worker.ended.then(() => {
      running.delete(worker)
      if (!isOver) startOne()
    })
    return worker
  }
  return {
    startOne,
    list: () => [...running],
    async end() {
      isOver = true
      const all = [...running]
      for (const worker of all) worker.kill('SIGTERM')
      return Promise.all(all.map(({ ended }) => ended))
    },
  }
}
