import { createHash } from 'node:crypto'
import type { Ledger } from '../../scripts/lib/runs/ledger.ts'
import type { Reply } from '../sandbox/http.ts'
import type { Sandbox } from '../sandbox/start.ts'

/** Operations after which all is as it was. Whatever is not among them counts as a change. */
const READS = /^(Get|Head|List|Describe|BatchGet|Invoke)/

export const isChange = (operation: string): boolean => !READS.test(operation)

type Called = { readonly operation: string; readonly resource: string }

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)

/** Without what is different in every sandbox: ids, salts, digests. */
export const plain = (text: string): string =>
  text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{6,}/g, '#')

const TEXTS = /"(?:[^"\\]|\\.)*"/g

/** The same of all texts in a value, names of members included. */
export const plainJson = (value: unknown, plainer = plain): string => JSON.stringify(value).replace(TEXTS, plainer)

/**
 * Names what a call has changed, the same in every sandbox and for every process that comes to the same point: the operation, what it
 * was about, and the step that is under way. Two writes of the ledger are the same when steps and checkpoints are the same in kind.
 */
export function changesIn(sandbox: Sandbox) {
  let step = ''
  return async ({ operation, resource }: Called, reply: Reply): Promise<string> => {
    const key = resource.replace(/^[^/]+\/.*?(runs|bulk)\/[^/]+\//, '')
    const read = async () => {
      const at = resource.indexOf('/')
      return String(await sandbox.s3.get(resource.slice(0, at), resource.slice(at + 1)))
    }
    if (operation === 'PutObject' && key === 'run.lock') step = (JSON.parse(await read()) as { step: string }).step
    if (operation === 'PutObject' && key === 'run.json')
      return `${step}: PutObject run.json (${ledgerOf(await read())})`
    if (operation === 'PutObject' && key === 'endpoint/endpoint.json')
      return `${step}: PutObject ${key} (${Object.keys(JSON.parse(await read())).join()})`
    if (operation === 'StartQueryExecution') return `${step}: StartQueryExecution ${queryOf(sandbox, reply)}`
    if (operation === 'DeleteObjects') return `${step}: DeleteObjects, ${sandbox.s3.keys(resource).length} are left`
    // What is thrown away must not be missed by whoever comes next.
    if (operation === 'DeleteObject') return `${step}: DeleteObject ${plain(key)}`
    return `${step}: ${operation} ${plain(key.replace(/^(tmp|jobs)\/.*/, '$1/…'))}`
  }
}

/** The state of the last step, and a hash of all that the steps have noted. */
function ledgerOf(text: string): string {
  const { steps } = JSON.parse(text) as Ledger
  const kinds = Object.entries(steps).map(([name, { state, checkpoint, result }]) => [
    name,
    state,
    checkpoint,
    result === undefined,
  ])
  return `${kinds.at(-1)?.slice(0, 2).join(' ') ?? 'new'} ${hashOf(plainJson(kinds))}`
}

function queryOf(sandbox: Sandbox, { body }: Reply): string {
  const { QueryExecutionId: id } = JSON.parse(String(body)) as { QueryExecutionId?: string }
  const text = plain(sandbox.athena.queries.all.find((query) => query.id === id)?.text ?? 'refused')
  return `${text
    .replace(/^--.*$/gm, '')
    .trim()
    .slice(0, 50)
    .replace(/\s+/g, ' ')} ${hashOf(text)}`
}
