import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/**
 * Makes a TypeScript module, with all that it imports of this project, ready to run in threads, and returns what starts one. The module
 * may not await at its top, nor import anything late.
 */
export async function threadsOf(module: URL): Promise<() => Worker> {
  if (Reflect.get(process.features, 'typescript')) return () => new Worker(module)
  // tsx would start in each thread anew, which takes longer than making one script of all.
  const { build } = await import('esbuild')
  const settings = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent' } as const
  const { outputFiles } = await build({ ...settings, entryPoints: [fileURLToPath(module)] })
  const code = outputFiles[0]?.text ?? ''
  return () => new Worker(code, { eval: true })
}
