import { join } from 'node:path'
import { UserError } from '../cli/errors.ts'

/**
 * File names for the segments of a key. Keys are hostile: segments that a file system would understand as a place
 * (empty, `.`, `..`), or the store for a draft, are written percent-encoded, and names that begin with such an escape
 * get theirs escaped in turn, so that every key has exactly one path and every path lies below the folder.
 */
export function nameOf(segment: string): string {
  if (segment === '') return '%'
  if (segment === '.' || segment === '..' || segment.startsWith('%')) return segment.replace(/^[.]+|^%/, escapeAll)
  return segment.startsWith(DRAFT) ? segment.replace('.', escapeAll) : segment
}

/** Names that begin so are half-written objects: no object's own name does. */
export const DRAFT = '.draft-'

/** The segment that a file name stands for; the inverse of nameOf. */
export function segmentOf(name: string): string {
  if (name === '%') return ''
  if (name === '%2E') return '.'
  if (name === '%2E%2E') return '..'
  if (name.startsWith('%2E')) return `.${name.slice(3)}`
  return name.startsWith('%25') ? `%${name.slice(3)}` : name
}

const escapeAll = (text: string): string => [...text].map((c) => (c === '%' ? '%25' : '%2E')).join('')

const NAME_BYTES = 255

/** Path of a key below a folder. @throws UserError when no file can have that name */
export const pathOf = (folder: string, key: string): string => join(folder, ...fileNames(key))

/** @throws UserError when no file can have this key as its path */
export const checkFileName = (key: string): void => void fileNames(key)

function fileNames(key: string): string[] {
  // Halves of surrogate pairs would all become the same replacement character.
  if (key.includes('\0') || key === '' || /\p{Surrogate}/u.test(key))
    throw new UserError(`key ${JSON.stringify(key)} cannot be a file name`, { hint: IN_S3 })
  const names = key.split('/').map(nameOf)
  const long = names.find((name) => Buffer.byteLength(name) > NAME_BYTES)
  if (long !== undefined)
    throw new UserError(`key ${JSON.stringify(key)} has a part of over ${NAME_BYTES} bytes, too long for a file name`, {
      hint: IN_S3,
    })
  return names
}

const IN_S3 = 'stage into a --workspace in S3, or name the other keys in a --keys-file'
