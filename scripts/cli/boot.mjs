// The only JavaScript of the scripts: it makes TypeScript loadable and hands over. Node 22.18 strips types by itself, Node 20 needs tsx.

/**
 * Runs one script.
 * @param {string} entry `import.meta.url` of the entry
 * @param {() => Promise<{ command: import('./command.ts').Command }>} load imports the step's command.ts
 */
export async function run(entry, load) {
  // A top-level await that never settles ends with code 0 under zx: only a finished command may set it to 0.
  process.exitCode = 1
  if (!('typescript' in process.features)) (await import('tsx/esm/api')).register()
  const { main } = await import('./main.ts')
  await main(entry, load)
}
