// The only JavaScript of the scripts: it makes TypeScript loadable and hands over. Node 22.18 strips types by itself, Node 20 needs tsx.

import { fileURLToPath } from 'node:url'

const OLDEST_NODE = [20, 18]

/**
 * Runs one script.
 * @param {string} entry `import.meta.url` of the entry
 * @param {() => Promise<{ command: import('./command.ts').Command }>} load imports the step's command.ts
 */
export async function run(entry, load) {
  // A top-level await that never settles ends with code 0 under zx: only a finished command may set it to 0.
  process.exitCode = 1
  if (isTooOld(process.versions.node))
    return complain(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.version}`)
  // Else the AWS SDK talks about future versions of Node on every run.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  try {
    if (!Reflect.get(process.features, 'typescript')) (await import('tsx/esm/api')).register()
    const { main } = await import('./main.ts')
    await main(entry, load)
  } catch (error) {
    if (!isMissingPackage(error)) throw error
    complain(`${error.message}: run "npm ci" in ${fileURLToPath(new URL('../../..', import.meta.url))} first`)
  }
}

/** @param {string} version */
function isTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}

/** @param {unknown} error @returns {error is Error} */
const isMissingPackage = (error) =>
  error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND' && error.message.includes('package')

/** @param {string} text */
const complain = (text) => void process.stderr.write(`${text}\n`)
