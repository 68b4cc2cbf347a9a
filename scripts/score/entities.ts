import { UserError } from '../lib/cli/errors.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { linesOf } from '../lib/stores/lines.ts'

/** The known entities of a run, encoded, with their accesses in training. @throws UserError when that is not there or damaged */
export async function knownEntities(run: Run): Promise<Map<string, number>> {
  const hint = `${nextCommand('extract', run)} --overwrite`
  if ((await run.store.head(paths.entities)) === undefined)
    throw new UserError(`run ${run.id} has no ${paths.entities}`, { hint })
  const known = new Map<string, number>()
  let number = 0
  for await (const line of linesOf(await run.store.read(paths.entities))) {
    number += 1
    // Of an encoded entity no comma is left.
    const [entity = '', events = '', ips, ...more] = line.split(',')
    if (entity === '' || !/^\d+$/.test(events) || ips === undefined || more.length > 0)
      throw new UserError(`${run.uriOf(paths.entities)}:${number} is no entity: ${JSON.stringify(line.slice(0, 80))}`, {
        hint,
      })
    known.set(entity, Number(events))
  }
  return known
}
