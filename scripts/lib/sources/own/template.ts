import type { Layout, Padding } from '../layout.ts'
import { isTimeField, type Piece, piecesOf } from '../template.ts'
import { hasTurns } from '../zone.ts'

/** A template of keys as the configuration file has it. @throws Error that says what is wrong with it */
export function checkTemplate(keys: string): void {
  if (keys.startsWith('/') || keys.includes('//') || /(^|\/)\.\.?(\/|$)/.test(keys))
    throw new Error('must be like the keys themselves: no slash at its start, no empty folder, no . or ..')
  const rest = keys.replaceAll(/\{\w+\??\}/g, '')
  if (/[{}]/.test(rest)) throw new Error('has a brace that belongs to no variable: write {name} or {name?}/')
  if (/[\n\r]/.test(keys)) throw new Error('must be one line')
  const variables = piecesOf(keys).flatMap((piece) => ('name' in piece ? [piece] : []))
  const twice = variables.find((piece) => piece.isOptional && piece.slash === '')
  if (twice !== undefined) throw new Error(`only a folder may be absent: write {${twice.name}?}/`)
  const has = (...names: string[]) =>
    names.some((name) => variables.some((piece) => piece.name === name && !piece.isOptional))
  if (!has('yyyy') || !has('MM', 'M') || !has('dd', 'd'))
    throw new Error('must have the day: {yyyy}, {MM} or {M}, and {dd} or {d}')
  if (piecesOf(keys.split('/')[0] ?? '').some((piece) => 'name' in piece && piece.isOptional))
    throw new Error('must not begin with a folder that may be absent')
}

/** Minutes that the finest part of the time in a key stands for. */
const FINENESS: readonly [field: string, minutes: number][] = [
  ['ss', 1],
  ['mm', 1],
  ['HH', 60],
]
const DAY = 1440

/** An hour exists twice where clocks are turned back, and the first one is taken. */
const TURNED = 60

/** Before and after a time that is not known exactly: 15 minutes and an hour, unless the file says otherwise. */
const [BEFORE, AFTER, LATE] = [15, 60, 24] as const

interface Given {
  readonly keys: string
  readonly zone?: string | undefined
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly late?: number | undefined
}

/** The layout of a checked template: folders before the first part of the time make the branches. */
export function layoutOf(id: string, { keys, zone, before = BEFORE, after = AFTER, late = LATE }: Given): Layout {
  const folders = keys.split(/(?<=\/)/)
  const isTimed = (folder: string) =>
    piecesOf(folder).some((piece: Piece) => 'name' in piece && isTimeField(piece.name))
  const timed = folders.findIndex(isTimed)
  const path = folders.slice(0, timed).join('')
  const fields = piecesOf(keys).flatMap((piece) => ('name' in piece ? [piece.name] : []))
  const unit = FINENESS.find(([field]) => fields.includes(field))?.[1] ?? DAY
  const isUtc = zone === undefined || zone === 'UTC'
  const padding: Padding = {
    unit,
    before: before + (isUtc || !hasTurns(zone) ? 0 : TURNED),
    after,
    lateHours: late,
  }
  return {
    id,
    about: 'of the configuration file',
    path,
    timed: keys.slice(path.length),
    tail: keys.endsWith('/') ? '[^/]+' : '[^/]*',
    padding,
    ...(isUtc ? {} : { zone }),
  }
}
