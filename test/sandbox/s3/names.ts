import type { Incoming } from '../http.ts'
import { STORAGE_CLASSES } from './write-options.ts'

/** Values that the SDK's schemas leave open but S3's API reference does not. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'x-amz-storage-class': new RegExp(`^(${STORAGE_CLASSES.join('|')})$`),
  'x-amz-server-side-encryption': /^(AES256|aws:kms|aws:kms:dsse)$/,
  'x-amz-server-side-encryption-bucket-key-enabled': /^(true|false)$/,
  'x-amz-metadata-directive': /^(COPY|REPLACE)$/,
  'x-amz-tagging-directive': /^(COPY|REPLACE)$/,
  'x-amz-checksum-algorithm': /^(CRC32|CRC32C|CRC64NVME|SHA1|SHA256)$/,
  'x-amz-checksum-mode': /^ENABLED$/,
  'x-amz-request-payer': /^requester$/,
  'x-amz-expected-bucket-owner': /^\d{12}$/,
  'x-amz-source-expected-bucket-owner': /^\d{12}$/,
  'x-amz-copy-source-range': /^bytes=\d+-\d+$/,
  'x-amz-copy-source': /^\/?[a-z0-9][a-z0-9.-]+\/[!-~]+$/,
  'x-amz-content-sha256': /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+)$/,
}

const QUERY: Readonly<Record<string, RegExp>> = {
  'list-type': /^2$/,
  'encoding-type': /^url$/,
  'fetch-owner': /^(true|false)$/,
}

/** Values of headers and query that S3 does not know, as sentences. */
export function checkedNames({ headers, query }: Pick<Incoming, 'headers' | 'query'>): string[] {
  const wrong = (what: string, rules: Readonly<Record<string, RegExp>>, value: (name: string) => string | undefined) =>
    Object.entries(rules).flatMap(([name, rule]) => {
      const given = value(name)
      return given === undefined || rule.test(given)
        ? []
        : [`${what} ${name} ${JSON.stringify(given)} does not match ${rule}`]
    })
  return [...wrong('header', HEADERS, (name) => headers[name]), ...wrong('query', QUERY, (name) => query.get(name))]
}
