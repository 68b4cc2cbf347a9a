import { pairsDefinition } from '../sources/own/definition.ts'
import { sourceOf } from '../sources/registry.ts'
import type { Run } from './run.ts'

/** A warning where the configuration file defines the source of a run otherwise than when it was extracted; undefined where it does not. */
export async function otherDefinition(run: Run): Promise<string | undefined> {
  const before = definitionOf(run)
  if (before === undefined || !run.isDone('extract')) return undefined
  const source = sourceOf(run.request.source)
  if ((await pairsDefinition(source, run.result('extract').entity)) === before) return undefined
  return `${source.id} has changed in the configuration file since run ${run.id} was extracted: its logs are read otherwise than its pairs were`
}

/** A warning where two runs of a source of the configuration file were extracted by different definitions; undefined where they were not. */
export function differentDefinitions(run: Run, other: Run): string | undefined {
  if (definitionOf(run) === definitionOf(other)) return undefined
  return `${run.request.source} changed in the configuration file between run ${run.id} and run ${other.id}: the model may not know what it judges`
}

const definitionOf = (run: Run) => run.ledger.steps.extract?.settings.definition
