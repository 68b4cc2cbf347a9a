import { type EntityChoice, type Source, settlingOf, withAddresses } from '../source.ts'
import { groupOf, type Mapping, MEMBER_PATH, pathsOf, patternOf } from './mapping.ts'
import type { Keys, Mapped, Written } from './schema.ts'
import { layoutOf } from './template.ts'

/** A mistake in one of the values of a source. */
export class Mistake extends Error {
  readonly keys: readonly string[]

  /** @param keys where the value stands, within the source */
  constructor(keys: readonly string[], message: string) {
    super(message)
    this.keys = keys
  }
}

const columnOf = (name: string): string => name.replaceAll('-', '_')

function present<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new Mistake([key], 'is missing')
  return value
}

/** A source from its mapping. @throws Mistake */
export function mappedSource(id: string, given: Mapped): Source {
  const layout = layoutOf(id, { ...given, keys: present(given.keys, 'keys') })
  const entities = present(given.entities, 'entities')
  const [defaultEntity] = Object.keys(entities)
  if (defaultEntity === undefined) throw new Mistake(['entities'], 'must have one entity at least')
  const mapping = mappingOf(given, entities)
  checkValues(given, mapping)
  const paths = pathsOf(mapping)
  const isCsv = mapping.format === 'csv'
  const memberOf = (path: string) => (isCsv ? groupOf(mapping.columns, path) : path)
  const addresses = Object.fromEntries(
    Object.entries(mapping.addresses).map(([name, path]) => [name, { about: path, members: [memberOf(path)] }]),
  )
  const choices = Object.fromEntries(
    Object.entries(entities).map(([name, path]): [string, EntityChoice] => [
      name,
      { about: path, column: columnOf(name), members: [memberOf(path)] },
    ]),
  )
  return {
    id,
    name: id,
    about: 'a source of the configuration file',
    layouts: [layout],
    ...(isCsv && { text: { pattern: patternOf(mapping, paths) } }),
    ...(mapping.format === 'parquet' && { isParquet: true }),
    members: isCsv ? Object.fromEntries(paths.map((path) => [memberOf(path), 'VARCHAR'])) : typesOf(paths),
    pairMembers: [mapping.time, mapping.address].map(memberOf),
    idMember: mapping.id === undefined ? [] : [memberOf(mapping.id)],
    details: {},
    entities: withAddresses(choices, addresses),
    defaultEntity,
    addresses,
    aspects: Object.fromEntries(Object.keys(mapping.fields).map((column) => [column.replaceAll('_', '-'), column])),
    access: 'request',
    own: mapping,
  }
}

function mappingOf(given: Mapped, entities: Readonly<Record<string, string>>): Mapping {
  const { format = 'json', details = {} } = given
  const both = Object.keys(details).find((name) => Object.hasOwn(entities, name))
  if (both !== undefined) throw new Mistake(['details', both], 'is the name of an entity, too')
  return {
    format,
    columns: given.columns ?? [],
    separator: given.separator ?? ',',
    header: given.header ?? false,
    types: given.types,
    time: present(given.time, 'time'),
    timeFormat: given['time-format'] ?? 'iso',
    address: present(given.address, 'address'),
    addresses: given.addresses ?? {},
    id: given.id,
    fields: Object.fromEntries(
      Object.entries({ ...entities, ...details }).map(([name, path]) => [columnOf(name), path]),
    ),
  }
}

/** Whether all values name something that the records can have. @throws Mistake */
function checkValues(given: Mapped, { format, columns }: Mapping): void {
  const values: (readonly [keys: string[], value: string])[] = [
    ...(['time', 'address', 'id'] as const).flatMap((key) =>
      given[key] === undefined ? [] : [[[key], given[key]] as const],
    ),
    ...(['addresses', 'entities', 'details'] as const).flatMap((key) =>
      Object.entries(given[key] ?? {}).map(([name, value]) => [[key, name], value] as const),
    ),
  ].map(([keys, value]) => [[...keys], value])
  if (given.types !== undefined && format !== 'parquet') throw new Mistake(['types'], 'is for parquet alone')
  if (format === 'csv') {
    if (columns.length === 0) throw new Mistake(['columns'], 'are missing: name the columns of a line in their order')
    const none = values.find(([, value]) => !columns.includes(value))
    if (none !== undefined) throw new Mistake(none[0], `"${none[1]}" is none of the columns`)
    return
  }
  for (const key of ['columns', 'separator', 'header'] as const)
    if (given[key] !== undefined) throw new Mistake([key], 'is for csv alone')
  const wrong = values.find(([, value]) => !MEMBER_PATH.test(value))
  if (wrong !== undefined)
    throw new Mistake(
      wrong[0],
      'must be a member of the records, or a member of a member: letters, digits and _, with dots between',
    )
  for (const [keys, value] of values) {
    const other = values.find(
      ([, path]) =>
        path.toLowerCase().startsWith(`${value.toLowerCase()}.`) ||
        (path !== value && path.toLowerCase() === value.toLowerCase()),
    )
    if (other !== undefined) throw new Mistake(keys, `"${value}" and "${other[1]}" cannot both be read`)
  }
  checkTypes(given, values)
}

/** Whether types are of members that are read, and text is the same on both engines. @throws Mistake */
function checkTypes({ types = {} }: Mapped, values: readonly (readonly [keys: string[], value: string])[]): void {
  for (const [path, type] of Object.entries(types)) {
    const uses = values.filter(([, value]) => value === path)
    if (uses.length === 0) throw new Mistake(['types', path], 'is the type of a member that nothing names')
    if ((type === 'double' || type === 'timestamp') && uses.some(([keys]) => keys[0] !== 'time'))
      throw new Mistake(['types', path], `must be a type with one form as text: only the time may be a ${type}`)
  }
}

type Tree = Map<string, Tree>

/** Types of members that hold these paths, for DuckDB: text, or objects of text. */
function typesOf(paths: readonly string[]): Record<string, string> {
  const tree: Tree = new Map()
  for (const path of paths) {
    let node = tree
    for (const name of path.split('.')) {
      const next = node.get(name) ?? new Map()
      node.set(name, next)
      node = next
    }
  }
  const typeOf = (node: Tree): string =>
    node.size === 0 ? 'VARCHAR' : `STRUCT(${[...node].map(([name, inner]) => `"${name}" ${typeOf(inner)}`).join(', ')})`
  return Object.fromEntries([...tree].map(([name, node]) => [name, typeOf(node)]))
}

/** A source that comes with prestage, with further keys. What they leave out is the most that its own layouts have. @throws Mistake */
export function extendedSource(source: Source, given: Keys): Source {
  const most = (value: 'before' | 'after' | 'lateHours') =>
    Math.max(...source.layouts.map(({ padding }) => padding[value]))
  const { before = most('before'), after = most('after'), late = most('lateHours'), keys, zone } = given
  const layout = layoutOf(`${source.id}-own`, { keys: present(keys, 'keys'), zone, before, after, late })
  const settles = given.after === undefined ? { settles: settlingOf(source) / 60_000 } : {}
  return {
    ...source,
    layouts: [{ ...layout, padding: { ...layout.padding, ...settles } }, ...source.layouts],
    hasOwnKeys: true,
  }
}

/** A source with SQL of its own. @param folder absolute path @throws Mistake */
export function writtenSource(id: string, given: Written, folder: string): Source {
  const entities = present(given.entities, 'entities')
  const [defaultEntity] = Object.keys(entities)
  if (defaultEntity === undefined) throw new Mistake(['entities'], 'must have one entity at least')
  const members = Object.keys(given.members)
  return {
    id,
    name: id,
    about: 'a source of the configuration file',
    layouts: [layoutOf(id, { ...given, keys: present(given.keys, 'keys') })],
    // Objects that are Parquet are told by their first bytes.
    isParquet: true,
    members: given.members,
    pairMembers: members,
    idMember: [],
    details: {},
    entities: Object.fromEntries(
      Object.entries(entities).map(([name, column]): [string, EntityChoice] => [
        name,
        { about: `column ${column}`, column, members: [] },
      ]),
    ),
    defaultEntity,
    aspects: { ...given.details, ...entities },
    access: 'request',
    own: { folder },
  }
}
