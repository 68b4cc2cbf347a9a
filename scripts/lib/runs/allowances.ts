import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { messageOf, UsageError } from '../cli/errors.ts'
import { suggestion } from '../cli/nearest.ts'
import { time } from '../cli/shapes.ts'
import { encodeEntity } from '../insights/entity-codec.ts'
import { formatNetwork, type Network, parseNetwork } from '../insights/ipv6.ts'
import { networkList } from './network-list.ts'
import type { Allowance } from './verdicts.ts'

/** A network whose pairs are never flagged: of every entity, or of one. */
export type Allowed = Network & {
  /** Encoded. Absent: of every entity. */
  readonly entity?: string
  /** Of an entry of a file of allowances. */
  readonly because?: Allowance
}

interface Allowances {
  readonly allow: readonly Allowed[]
  /** Entries that no longer count, in words. */
  readonly expired: readonly string[]
}

const text = v.pipe(
  v.string('must be text; put it in quotes, or YAML turns it into a number'),
  v.check((given) => given.trim() !== '', 'must not be empty'),
)
const day = v.pipe(
  text,
  v.check((given) => v.is(time, `${given}T00:00:00Z`), 'must be a day such as 2026-12-31'),
)
const fields = { entity: v.exactOptional(text), network: text, until: day, why: text, by: text }
const entrySchema = v.object(fields)

/**
 * What `--allow` names: networks, files with one network a line, and files of entries (`.yaml`, `.yml`), each with a network, until
 * when, why, by whom, and the entity that it is for. An entry counts through its last day, in UTC.
 * @throws UsageError that names file and line
 */
export async function allowancesIn(named: readonly string[], now: Date): Promise<Allowances> {
  const isEntries = (one: string): boolean => /\.ya?ml$/i.test(one)
  const plain = await networkList(
    '--allow',
    named.filter((one) => !isEntries(one)),
  )
  const [allow, expired]: [Allowed[], string[]] = [[], []]
  for (const file of named.filter(isEntries))
    for (const { line, allowed } of await entriesIn(file)) {
      const { until = '', why, by } = allowed.because ?? {}
      if (now.getTime() < Date.parse(`${until}T00:00:00Z`) + DAY_MS) allow.push(allowed)
      else
        expired.push(
          `${file}:${line}: ${formatNetwork(allowed)} expired on ${until} and no longer counts (${why}, ${by})`,
        )
    }
  // First those that say why.
  return { allow: [...allow, ...plain], expired }
}

const DAY_MS = 86_400_000

async function entriesIn(file: string): Promise<{ line: number; allowed: Allowed }[]> {
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--allow ${file}: ${messageOf(error)}`)
  })
  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines })
  const [mistake] = [...document.errors, ...document.warnings]
  if (mistake !== undefined)
    throw new UsageError(
      `${file}:${lines.linePos(mistake.pos[0]).line}: not valid YAML: ${mistake.message.split('\n')[0]}`,
    )
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return []
  if (!isSeq(contents)) throw new UsageError(`${file}: must be a list of entries: - network: …`)
  return contents.items.map((item) => {
    const lineOf = (node: unknown): number =>
      lines.linePos((isScalar(node) || isMap(node) ? node.range?.[0] : contents.range?.[0]) ?? 0).line
    if (!isMap(item)) throw new UsageError(`${file}:${lineOf(item)}: must have the form "network: 198.51.100.0/24"`)
    try {
      return { line: lineOf(item), allowed: allowedBy(item, lineOf) }
    } catch (error) {
      if (error instanceof Misplaced) throw new UsageError(`${file}:${error.line}: ${error.message}`)
      throw error
    }
  })
}

/** What is wrong on a line. */
class Misplaced extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

function allowedBy(item: YAMLMap, lineOf: (node: unknown) => number): Allowed {
  const at = (name: string): number => {
    const pair = item.items.find(({ key }) => isScalar(key) && key.value === name)
    return lineOf(pair?.key ?? item)
  }
  const given: unknown = item.toJSON()
  const names = item.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''))
  const unknown = names.find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined)
    throw new Misplaced(at(unknown), `unknown "${unknown}" (${suggestion(unknown, Object.keys(fields))})`)
  const missing = ['network', 'until', 'why', 'by'].find((name) => !names.includes(name))
  if (missing !== undefined) throw new Misplaced(lineOf(item), `the entry has no "${missing}"`)
  const checked = v.safeParse(entrySchema, given)
  const [issue] = checked.issues ?? []
  if (issue !== undefined || !checked.success) {
    const name = issue === undefined ? '' : (v.getDotPath(issue) ?? '')
    throw new Misplaced(at(name), `${name} ${issue?.input === null ? 'has no value' : issue?.message}`)
  }
  const { entity, network, ...because } = checked.output
  return {
    ...networkOn(network, at('network')),
    ...(entity !== undefined && { entity: encodeEntity(entity) }),
    because,
  }
}

function networkOn(network: string, line: number): Network {
  try {
    return parseNetwork(network)
  } catch (error) {
    throw new Misplaced(line, `network "${network}" ${messageOf(error)}`)
  }
}
