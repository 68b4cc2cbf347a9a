// Decompresses every .gz below a folder on two threads, and prints the bytes: node unpack.mjs FOLDER
import { readdirSync, readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'

const THREADS = 2

if (isMainThread) {
  const files = readdirSync(process.argv[2] ?? '.', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.gz'))
    .map((name) => `${process.argv[2]}/${name}`)
  let [bytes, left] = [0, THREADS]
  for (let thread = 0; thread < THREADS; thread++) {
    const own = files.filter((_, i) => i % THREADS === thread)
    new Worker(new URL(import.meta.url), { workerData: own }).on('message', (/** @type {number} */ n) => {
      bytes += n
      left -= 1
      if (left === 0) process.stdout.write(`${bytes}\n`)
    })
  }
} else {
  let bytes = 0
  for (const file of /** @type {string[]} */ (workerData)) bytes += gunzipSync(readFileSync(file)).length
  parentPort?.postMessage(bytes)
}
