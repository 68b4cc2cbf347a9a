import { isoOf, type Label } from './log-file.ts'

/** Known attacks as CSV: user agents hold commas, quotes and line breaks, so fields are quoted where needed. */
export const labelsCsv = (labels: readonly Label[]): string =>
  [
    ['source', 'entity', 'ip', 'kind', 'time'],
    ...labels.map(({ source, entity, ip, kind, time }) => [source, entity, ip, kind, isoOf(time)]),
  ]
    .map((row) => `${row.map(quoted).join(',')}\n`)
    .join('')

const quoted = (field: string): string => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
