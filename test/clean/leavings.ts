import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun } from '../../scripts/lib/runs/workspace.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { stageResult } from '../support/results.ts'
import { tempFolder } from '../support/temp.ts'

/** A run with staged copies, some linked from the logs, a model, a report, and links that lead out of its folder. */
export async function runWithLeavings(): Promise<{ run: Run; workspace: string; logs: string }> {
  const [workspace, logs] = [tempFolder(), tempFolder()]
  const run = await createRun(workspace, REQUEST)
  await run.step('stage', { settings: {}, inputs: [], overwrite: false }, async () => stageResult())
  for (const folder of ['staged/deep', 'tmp', 'model', 'pairs/train']) mkdirSync(run.path(folder), { recursive: true })
  writeFileSync(`${logs}/linked.gz`, 'linked')
  writeFileSync(`${logs}/kept.txt`, 'kept')
  linkSync(`${logs}/linked.gz`, run.path('staged/deep/linked.gz'))
  writeFileSync(run.path('staged/copy.gz'), 'a copy')
  symlinkSync(logs, run.path('staged/way-out'))
  symlinkSync(`${logs}/kept.txt`, run.path('tmp/way-out.txt'))
  writeFileSync(run.path('model/model.tar.gz'), 'model')
  writeFileSync(run.path('report.html'), 'report')
  writeFileSync(run.path('pairs/train/part-0.csv'), 'a,1.2.3.4\n')
  return { run, workspace, logs }
}
