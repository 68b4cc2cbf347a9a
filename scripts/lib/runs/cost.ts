/**
 * What AWS charges, for estimates before anything is spent. Dollars in us-east-1; other regions differ by some percent.
 * Data transfer between regions is not part of it.
 */
export const PRICES = {
  date: '2026-11-20',
  region: 'us-east-1',
  listRequest: 0.005 / 1000,
  /** HEAD, too. */
  getRequest: 0.0004 / 1000,
  putRequest: 0.005 / 1000,
  copyRequest: 0.005 / 1000,
  /** To the internet, the first ten terabytes of a month. */
  byteOut: 0.09 / 1e9,
  /** Scanned; ten megabytes a query at least. */
  athenaByte: 5 / 1e12,
  batchJob: 0.25,
  batchObject: 1 / 1_000_000,
  /** Of memory that a serverless endpoint has, while it answers. Idle it costs nothing. */
  serverlessGBSecond: 0.00002,
  /** Disk of a training instance, an hour. */
  diskGBHour: 0.14 / 730,
  /** Standard storage, a month. */
  s3GBMonth: 0.023,
  /** A key of one's own. */
  kmsKeyMonth: 1,
} as const

/** One line of an estimate. */
export interface CostItem {
  readonly what: string
  readonly count: number
  readonly each: number
}

/** What is estimated in all, in dollars. */
export const totalOf = (items: readonly CostItem[]): number =>
  items.reduce((sum, { count, each }) => sum + count * each, 0)

export const priceNote = `prices of ${PRICES.region} as of ${PRICES.date}, without transfer between regions`
