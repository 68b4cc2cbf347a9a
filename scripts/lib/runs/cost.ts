import { counted } from '../cli/format.ts'

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
  /** What goes into an endpoint, and what comes out. */
  endpointByte: 0.016 / 1e9,
  /** Of CloudWatch, a month. */
  alarmMonth: 0.1,
  /** Disk of an instance that trains or serves, an hour. */
  diskGBHour: 0.14 / 730,
  /** Standard storage, a month. */
  s3GBMonth: 0.023,
  /** A key of one's own. */
  kmsKeyMonth: 1,
  kmsRequest: 0.03 / 10_000,
  /** Of CodeBuild, general1.small on Linux. */
  codebuildMinute: 0.005,
} as const

/** One line of an estimate. */
export interface CostItem {
  readonly what: string
  readonly count: number
  readonly each: number
}

/** How much there is of each: `5,000 GET requests, 2,500,000 bytes out of AWS`. */
export const itemsText = (items: readonly CostItem[]): string =>
  items.map(({ what, count }) => counted(count, what)).join(', ')

/** What is estimated in all, in dollars. */
export const totalOf = (items: readonly CostItem[]): number =>
  items.reduce((sum, { count, each }) => sum + count * each, 0)

export const priceNote = `prices of ${PRICES.region} as of ${PRICES.date}, without transfer between regions`

/** Price and size of a SageMaker instance type. Sizes: "Amazon SageMaker pricing" and the EC2 type of the same name. */
export interface Instance {
  /** Dollars an hour in us-east-1, for training and for endpoints alike; see PRICES for the date. */
  readonly usdPerHour: number
  readonly memoryGiB: number
  readonly cpus: number
  readonly gpus?: number
}

export const INSTANCES: Readonly<Record<string, Instance>> = {
  'ml.m5.large': { usdPerHour: 0.115, memoryGiB: 8, cpus: 2 },
  'ml.m5.xlarge': { usdPerHour: 0.23, memoryGiB: 16, cpus: 4 },
  'ml.m5.2xlarge': { usdPerHour: 0.461, memoryGiB: 32, cpus: 8 },
  'ml.m5.4xlarge': { usdPerHour: 0.922, memoryGiB: 64, cpus: 16 },
  'ml.m5.12xlarge': { usdPerHour: 2.765, memoryGiB: 192, cpus: 48 },
  'ml.m5.24xlarge': { usdPerHour: 5.53, memoryGiB: 384, cpus: 96 },
  'ml.c5.xlarge': { usdPerHour: 0.204, memoryGiB: 8, cpus: 4 },
  'ml.c5.2xlarge': { usdPerHour: 0.408, memoryGiB: 16, cpus: 8 },
  'ml.c5.4xlarge': { usdPerHour: 0.816, memoryGiB: 32, cpus: 16 },
  'ml.g4dn.xlarge': { usdPerHour: 0.736, memoryGiB: 16, cpus: 4, gpus: 1 },
  'ml.g4dn.2xlarge': { usdPerHour: 0.94, memoryGiB: 32, cpus: 8, gpus: 1 },
  'ml.g5.xlarge': { usdPerHour: 1.408, memoryGiB: 16, cpus: 4, gpus: 1 },
  'ml.g5.2xlarge': { usdPerHour: 1.515, memoryGiB: 32, cpus: 8, gpus: 1 },
  'ml.p3.2xlarge': { usdPerHour: 3.825, memoryGiB: 61, cpus: 8, gpus: 1 },
  'ml.p3.8xlarge': { usdPerHour: 14.688, memoryGiB: 244, cpus: 32, gpus: 4 },
  'ml.p3.16xlarge': { usdPerHour: 28.152, memoryGiB: 488, cpus: 64, gpus: 8 },
}

/** The types to choose from when none is named, from small to large. */
export const LADDER = ['ml.m5.large', 'ml.m5.xlarge', 'ml.m5.2xlarge', 'ml.m5.4xlarge', 'ml.m5.12xlarge'] as const

/** Bytes of a model: its vectors, and some for the encoder. Bytes = vectors x dimensions x 4. */
export const modelBytesOf = (entityVectors: number, dim: number): number => entityVectors * dim * 4 + 20 * dim * dim

/** Bytes of a model that AWS deploys on each type at most: "Instance Recommendation for the IP Insights Algorithm", SageMaker developer guide. */
const SERVES: readonly (readonly [bytes: number, type: string])[] = [
  [0.55e9, 'ml.m5.large'],
  [1.1e9, 'ml.m5.xlarge'],
  [2.6e9, 'ml.m5.2xlarge'],
]

/** The smallest type that AWS's table has for a model of so many bytes; it goes up to 8 GB. */
export const servingInstance = (bytes: number): string => SERVES.find(([most]) => bytes <= most)?.[1] ?? 'ml.m5.4xlarge'

/** Whether a type is known to have less memory than AWS's table wants for a model of so many bytes. */
export const isSmallFor = (type: string, bytes: number): boolean =>
  (INSTANCES[type]?.memoryGiB ?? Number.POSITIVE_INFINITY) < (INSTANCES[servingInstance(bytes)]?.memoryGiB ?? 0)

/**
 * Whether an instance has its own disk, which encrypts itself: SageMaker refuses a key for it. "VolumeKmsKeyId", API reference; families
 * with instance store volumes, EC2 user guide.
 */
export const hasOwnDisk = (type: string): boolean =>
  /^ml\.(g4dn|g[5-9]\w*|p3dn|p4de?|p[5-9][\w-]*|trn\d\w*|dl1|[cmr]\d[a-z]*d[a-z]*)\./.test(type)

/** Gigabytes of disk of an endpoint's instance that has none of its own. AWS does not say how many: a guess. */
const ENDPOINT_DISK_GB = 30

/** Dollars an hour for an instance of an endpoint, its disk included. Undefined without a known price. */
export function servingUsd(type: string): number | undefined {
  const price = INSTANCES[type]?.usdPerHour
  return price === undefined ? undefined : price + (hasOwnDisk(type) ? 0 : ENDPOINT_DISK_GB * PRICES.diskGBHour)
}

/** Alarms that Application Auto Scaling makes for a policy that tracks a target: one above it, one below. */
const ALARMS = 2

/** Dollars an hour for the alarms of a scaled endpoint. */
export const SCALING_USD = (ALARMS * PRICES.alarmMonth) / 730

/** Of a pair as it is sent, and of its answer: guessed high. */
const PAIR_BYTES = 120

/**
 * Dollars for asking an endpoint so many pairs, some thousand in a second.
 * @param memoryMB of a serverless one; instances are paid for by the hour
 */
export function answersUsd(pairs: number, memoryMB?: number): number {
  const memory = memoryMB === undefined ? 0 : (60 + pairs / 2000) * (memoryMB / 1024) * PRICES.serverlessGBSecond
  return memory + pairs * PAIR_BYTES * PRICES.endpointByte
}
