import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/** Starts a thread with its `workerData`. */
export type StartThread = (data: object) => Worker

/**
 * Makes a TypeScript module, with all that it imports of this project, ready to run in threads. It may not await at its top, nor import
 * anything late.
 */
export async function threadsOf(module: URL): Promise<StartThread> {
  if (Reflect.get(process.features, 'typescript')) return (workerData) => new Worker(module, { workerData })
  // tsx would start in each thread anew, which takes longer than making one script of all.
  const { build } = await import('esbuild')
  const settings = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent' } as const
  const { outputFiles } = await build({ ...settings, entryPoints: [fileURLToPath(module)] })
  const code = outputFiles[0]?.text ?? ''
  return (workerData) => new Worker(code, { eval: true, workerData })
}
