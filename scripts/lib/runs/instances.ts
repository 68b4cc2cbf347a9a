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

/**
 * Whether an instance has its own disk, which encrypts itself: SageMaker refuses a key for it. "VolumeKmsKeyId", API reference; families
 * with instance store volumes, EC2 user guide.
 */
export const hasOwnDisk = (type: string): boolean =>
  /^ml\.(g4dn|g[5-9]\w*|p3dn|p4de?|p[5-9][\w-]*|trn\d\w*|dl1|[cmr]\d[a-z]*d[a-z]*)\./.test(type)
