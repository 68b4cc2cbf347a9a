import type { Bytes } from './bytes.ts'

/** Bytes in runs and literals: "Byte Run Length Encoding", ORC specification. */
export function octets(bytes: Bytes): () => number {
  let [run, literals, value] = [0, 0, 0]
  return () => {
    if (run === 0 && literals === 0) {
      const control = bytes.byte()
      if (control < 128) [run, value] = [control + 3, bytes.byte()]
      else literals = 256 - control
    }
    if (run > 0) run -= 1
    else {
      literals -= 1
      value = bytes.byte()
    }
    return value
  }
}

/** Bits, the highest of each byte first: "Boolean Run Length Encoding", ORC specification. */
export function bits(bytes: Bytes): () => boolean {
  const next = octets(bytes)
  let [byte, left] = [0, 0]
  return () => {
    if (left === 0) [byte, left] = [next(), 8]
    left -= 1
    return ((byte >> left) & 1) === 1
  }
}

/** Whole numbers in runs of either version. Those over 2^52 are refused: no object has such a size. */
export function integers(bytes: Bytes, { signed, version }: { signed: boolean; version: 1 | 2 }): () => number {
  let run: number[] = []
  let at = 0
  return () => {
    if (at >= run.length) {
      run = version === 1 ? runOne(bytes, signed) : runTwo(bytes, signed)
      at = 0
    }
    return exact(run[at++] ?? 0)
  }
}

function exact(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error('a number is over 2^52')
  return value
}

/** "Integer Run Length Encoding, version 1", ORC specification. */
function runOne(bytes: Bytes, signed: boolean): number[] {
  const control = bytes.byte()
  if (control >= 128) return times(256 - control, () => varint(bytes, signed))
  const delta = (bytes.byte() << 24) >> 24
  const base = varint(bytes, signed)
  return times(control + 3, (i) => base + i * delta)
}

/** "Integer Run Length Encoding, version 2", ORC specification. */
function runTwo(bytes: Bytes, signed: boolean): number[] {
  const header = bytes.byte()
  const kind = header >> 6
  if (kind === 0) {
    const value = whole(bytes, ((header >> 3) & 7) + 1)
    return Array<number>((header & 7) + 3).fill(signed ? zigzag(value) : value)
  }
  const code = (header >> 1) & 31
  const length = (header & 1) * 256 + bytes.byte() + 1
  if (kind === 1) return packed(bytes, length, widthOf(code)).map((value) => (signed ? zigzag(value) : value))
  return kind === 2
    ? patched(bytes, length, widthOf(code))
    : deltas(bytes, length, code === 0 ? 0 : widthOf(code), signed)
}

function patched(bytes: Bytes, length: number, width: number): number[] {
  const [third, fourth] = [bytes.byte(), bytes.byte()]
  const baseBytes = (third >> 5) + 1
  const patchWidth = widthOf(third & 31)
  const gapWidth = (fourth >> 5) + 1
  const magnitude = whole(bytes, baseBytes)
  const sign = 2 ** (baseBytes * 8 - 1)
  const base = magnitude >= sign ? sign - magnitude : magnitude
  const values = packed(bytes, length, width)
  let at = 0
  for (const [gap, patch] of packedPairs(bytes, fourth & 31, gapWidth, patchWidth)) {
    at += gap
    // A gap of 255 without a patch only adds to the next gap.
    if (patch > 0) values[at] = (values[at] ?? 0) + patch * 2 ** width
  }
  if (values.length !== length) throw new Error('a patch lies outside of its run')
  return values.map((value) => base + value)
}

function deltas(bytes: Bytes, length: number, width: number, signed: boolean): number[] {
  const base = varint(bytes, signed)
  const first = varint(bytes, true)
  const sign = first < 0 ? -1 : 1
  const steps = width === 0 ? [] : packed(bytes, Math.max(0, length - 2), width)
  let value = base
  return times(length, (i) => {
    if (i > 0) value += i === 1 || width === 0 ? first : sign * (steps[i - 2] ?? 0)
    return value
  })
}

const WIDTHS = [26, 28, 30, 32, 40, 48, 56, 64]

/** Bits of a value, of the 5 bits that stand for them. */
const widthOf = (code: number): number => (code < 24 ? code + 1 : (WIDTHS[code - 24] ?? 64))

/** Whole numbers of so many bits, the highest first; what is left of the last byte is padding. */
function packed(bytes: Bytes, count: number, width: number): number[] {
  let [byte, left] = [0, 0]
  return times(count, () => {
    let value = 0
    for (let wanted = width; wanted > 0; ) {
      if (left === 0) [byte, left] = [bytes.byte(), 8]
      const taken = Math.min(wanted, left)
      left -= taken
      value = value * 2 ** taken + ((byte >> left) & (2 ** taken - 1))
      wanted -= taken
    }
    return value
  })
}

/** Gaps and patches; a pair takes the next width that the format has. */
function packedPairs(bytes: Bytes, count: number, gapWidth: number, patchWidth: number): [number, number][] {
  const both = gapWidth + patchWidth
  const width = both <= 24 ? both : (WIDTHS.find((known) => known >= both) ?? 64)
  const raw = bytes.take(Math.ceil((count * width) / 8))
  const bit = (at: number): bigint => BigInt(((raw[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
  return times(count, (i) => {
    let pair = 0n
    for (let at = 0; at < width; at++) pair = pair * 2n + bit(i * width + at)
    const patch = 1n << BigInt(patchWidth)
    return [Number(pair / patch), Number(pair % patch)]
  })
}

function whole(bytes: Bytes, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) value = value * 256 + bytes.byte()
  return value
}

function varint(bytes: Bytes, signed: boolean): number {
  let value = 0
  for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
    const byte = bytes.byte()
    value += (byte & 0x7f) * scale
    if (byte < 128) return signed ? zigzag(value) : value
  }
  throw new Error('a number has more than 64 bits')
}

/** 0, 1, 2, 3 … stand for 0, −1, 1, −2 … */
const zigzag = (value: number): number => (exact(value) % 2 === 0 ? value / 2 : -(value + 1) / 2)

const times = <T>(count: number, value: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => value(i))
