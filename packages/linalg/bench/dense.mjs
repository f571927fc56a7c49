// Seconds of processor time for decompositions of random square matrices, as rows of a table.
import { createMatrix, multiply, qr, solvePositive, svd, symmetricEigen, transpose } from '@mk/linalg'

function random(rows, columns) {
  let state = 1
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5
  return createMatrix(rows, columns, Float64Array.from({ length: rows * columns }, next))
}

/** Of the fastest of some runs: other work on the machine only ever adds. */
function seconds(task, runs) {
  let best = Infinity
  for (let i = 0; i < runs; i++) {
    const start = process.cpuUsage()
    task()
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, (user + system) / 1e6)
  }
  return best < 0.1 ? best.toFixed(3) : best.toFixed(1)
}

const sizes = [100, 250, 500, 1000]
console.log(`| | ${sizes.join(' | ')} |\n|---|${'---|'.repeat(sizes.length)}`)
const tasks = {
  qr: (matrix) => qr(matrix),
  'solvePositive, 1 column': (matrix, positive) => solvePositive(positive, createMatrix(matrix.rows, 1)),
  symmetricEigen: (matrix, positive) => symmetricEigen(positive),
  svd: (matrix) => svd(matrix),
}
const operands = sizes.map((size) => {
  const matrix = random(size, size)
  const positive = multiply(transpose(matrix), matrix)
  for (let i = 0; i < size; i++) positive.values[i * size + i] += 1
  return [matrix, positive]
})
for (const [name, task] of Object.entries(tasks))
  console.log(
    `| ${name} | ${operands.map(([matrix, positive]) => seconds(() => task(matrix, positive), matrix.rows < 500 ? 5 : 2)).join(' | ')} |`,
  )
