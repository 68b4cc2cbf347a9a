import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { sourceParser } from '../../scripts/lib/sources/source.ts'
import { ParquetMaker } from '../../scripts/simulate/parquet.ts'
import { FolderBackend } from '../sandbox/s3/folder.ts'

/** The forms of version 2 that logs in S3 have: "Configure standard logging (v2)", CloudFront developer guide. */
export const FORMS = ['w3c', 'plain', 'json', 'parquet'] as const
export type Form = (typeof FORMS)[number]

type Values = Readonly<Record<string, string>>

/** The chosen fields, in an order of their own; plain logs have milliseconds in place of date and time. */
const CHOSEN =
  'x-edge-request-id cs(User-Agent) sc-status c-ip cs-method x-host-header cs(Host) cs-uri-stem x-edge-result-type asn'
const fieldsOf = (form: Form): string[] =>
  `${CHOSEN} ${form === 'plain' ? 'timestamp(ms)' : 'time date'} cs(Cookie)`.split(' ')

/** Names of columns: "Create a table for CloudFront logs in Athena using manual partitioning with Parquet", Athena user guide. */
const columnOf = (field: string): string => field.replace('(', '_').replace(')', '').replaceAll('-', '_').toLowerCase()

/** Copies logs of CloudFront into a folder as version 2 writes them in a form, under the keys that it has then. Returns these. */
export async function cloudfrontAs(form: Form, logs: string, folder: string): Promise<string[]> {
  const parse = sourceParser(sourceOf('cloudfront'), keyParser)
  const parquet = new ParquetMaker()
  const keys: string[] = []
  for (const { key } of new FolderBackend(logs).scan('', '')) {
    const parsed = parse(key)
    if (parsed === undefined) continue
    const name = (key.split('/').at(-1) ?? '').replace(/gz$/, form === 'parquet' ? 'parquet' : 'gz')
    const hour = parsed.time.toISOString().slice(0, 13).replace(/[-T]/g, '/')
    const to = `AWSLogs/111122223333/CloudFront/${parsed.variables.distribution}/${hour}/${name}`
    const records = recordsOf(String(gunzipSync(readFileSync(`${logs}/${key}`))))
    mkdirSync(dirname(`${folder}/${to}`), { recursive: true })
    const bytes =
      form === 'parquet'
        ? await parquet.of(
            Buffer.from(records.map((record) => jsonOf(record, form, columnOf)).join('')),
            Object.fromEntries(fieldsOf(form).map((field) => [columnOf(field), 'VARCHAR'])),
          )
        : gzipSync(textOf(form, records))
    writeFileSync(`${folder}/${to}`, bytes)
    keys.push(to)
  }
  await parquet.close()
  return keys
}

/** What simulated logs say, legacy or JSON. */
function recordsOf(text: string): Values[] {
  let names: string[] = []
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('#Fields: ')) names = line.slice(9).split(' ')
    if (line === '' || line.startsWith('#')) return []
    if (line.startsWith('{')) return [JSON.parse(line) as Values]
    return [Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value]))]
  })
}

const textFor = (record: Values, field: string): string =>
  field === 'timestamp(ms)' ? String(Date.parse(`${record.date}T${record.time}Z`)) : (record[field] ?? '-')

const jsonOf = (record: Values, form: Form, nameOf: (field: string) => string): string =>
  `${JSON.stringify(Object.fromEntries(fieldsOf(form).map((field) => [nameOf(field), textFor(record, field)])))}\n`

function textOf(form: Form, records: readonly Values[]): string {
  if (form === 'json') return records.map((record) => jsonOf(record, form, (field) => field)).join('')
  const fields = fieldsOf(form)
  // W3C has the mark and blanks, plain the names alone.
  const header = form === 'w3c' ? `#Fields: ${fields.join(' ')}` : fields.join('\t')
  return [header, ...records.map((record) => fields.map((field) => textFor(record, field)).join('\t')), ''].join('\n')
}
