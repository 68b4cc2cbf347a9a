// The commands as functions, for recipes and for scripts of your own:
//
//   import { stage, extract } from './prestage.mjs'
//   const { run } = await stage({ source: 'cloudtrail', logs: 's3://org-logs', last: '24h' })
//
// Options are those of the scripts, in camel case. A call returns what the script prints for `--output json`; progress and
// questions appear as from the shell. A failed call throws an error with `exitCode` and `hint`.

import { Writable } from 'node:stream'
import { guardSignals, hostOf, withTypeScript } from './lib/cli/boot.mjs'

/**
 * @template {import('./lib/cli/options.ts').OptionSpecs} S
 * @param {() => Promise<{ command: import('./lib/cli/command.ts').Command<S> }>} load
 * @returns {(options?: import('./lib/cli/command.ts').CallOptions<S>) => Promise<any>}
 */
const callable =
  (load) =>
  (options = {}) =>
    withTypeScript(async () => {
      const guard = await guardSignals()
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
      try {
        const [{ callCommand }, { command }] = await Promise.all([import('./lib/cli/run.ts'), load()])
        return await callCommand(command, options, { ...hostOf(guard.signal), stdout: nowhere })
      } finally {
        guard.release()
      }
    })

export const simulate = callable(() => import('./simulate/command.ts'))
export const inventory = callable(() => import('./inventory/command.ts'))
export const stage = callable(() => import('./stage/command.ts'))
export const extract = callable(() => import('./extract/command.ts'))
export const query = callable(() => import('./query/command.ts'))
export const train = callable(() => import('./train/command.ts'))
export const deploy = callable(() => import('./deploy/command.ts'))
export const score = callable(() => import('./score/command.ts'))
export const evaluate = callable(() => import('./evaluate/command.ts'))
export const report = callable(() => import('./report/command.ts'))
export const pipeline = callable(() => import('./pipeline/command.ts'))
export const nightly = callable(() => import('./nightly/command.ts'))
export const clean = callable(() => import('./clean/command.ts'))
export const setup = callable(() => import('./setup/command.ts'))
