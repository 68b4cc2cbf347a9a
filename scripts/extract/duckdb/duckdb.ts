import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../lib/cli/context.ts'
import { plural } from '../../lib/cli/format.ts'
import type { ExtractSettings } from '../../lib/engines/render.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { stagedFiles, stagedObjects } from '../../lib/runs/staged.ts'
import type { Extraction } from '../engine.ts'
import { previewOf } from '../render.ts'
import { outputs, writtenFiles } from '../run-files.ts'
import { extractWithDuckdb } from './extract.ts'

interface Wish {
  readonly skipBadFiles: boolean
  readonly memoryLimit: string
  readonly threads: number | undefined
}

/** On this machine, for a run in a folder. */
export const onDuckdb = (context: Context, run: Run, settings: ExtractSettings, wish: Wish): Extraction => ({
  preview: async () => {
    const files = await stagedFiles(run)
    const size = files.reduce((sum, file) => sum + file.size, 0)
    return previewOf(run, { objects: files.length, bytes: size }, settings, { name: 'duckdb', about: [] })
  },

  isGone: async () => {
    const found = await Promise.all(Object.values(outputs).map((key) => run.store.head(key)))
    return found.includes(undefined)
  },

  approve: async () => {},

  extract: async () => {
    const objects = stagedObjects(run)
    const progress = context.progress('reading logs', objects, 'files')
    const targets = {
      train: run.path(outputs.train),
      holdout: run.path(outputs.holdout),
      entities: run.path(outputs.entities),
      times: run.path(`${paths.times}part-00000.csv`),
    }
    const extracted = await extractWithDuckdb(() => stagedFiles(run), targets, {
      ...settings,
      skipBadFiles: wish.skipBadFiles,
      memoryLimit: wish.memoryLimit,
      threads: wish.threads ?? availableParallelism(),
      scratch: join(run.path(paths.tmp), 'extract'),
      signal: context.signal,
      onFiles: (more) => progress.advance(more),
      onState: (state) => progress.state(state),
    })
    progress.end(`${plural(extracted.events, 'record')} of ${plural(objects - extracted.bad.length, 'file')}`)
    if (extracted.trainPairs === 0) return { extracted }
    return { extracted, written: await writtenFiles(run, extracted) }
  },
})
