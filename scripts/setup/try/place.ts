import type { AwsSettings } from '../../lib/aws/settings.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { runStore } from '../../lib/runs/paths.ts'
import { openStore } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { keyIn } from '../../lib/stores/uri.ts'
import type { Comparisons } from './beliefs.ts'

/** In the place of a run's id: the try has the folders of a run, and with them the rights on them. */
export const TRY = 'try'

/** What of the stack the try uses. */
export interface Outputs {
  readonly workspace: string
  readonly bucket: string
  readonly batchRole: string
  readonly sagemakerRole: string
  readonly workgroup: string
  readonly database: string
}

/** Where and as whom the try works. */
export interface TryPlace extends Outputs {
  readonly aws: AwsSettings
  readonly region: string
  /** Of the caller. */
  readonly account: string
  /** Keys below it are divided as those of a run are. */
  readonly store: Store
  /** Part of all names in SageMaker and Athena: two workspaces of an account keep apart. */
  readonly hash: string
}

/** What every part of the try needs. */
export interface TryStep extends TryPlace, Waiting {
  readonly comparisons: Comparisons
  /** Distinguishes this try from earlier ones. */
  readonly nonce: string
  /** Seconds between two looks at a job. */
  readonly poll: number
  say(text: string): void
}

export const storeOf = async (workspace: string, aws: AwsSettings): Promise<Store> =>
  runStore(await openStore(workspace, aws), TRY)

/** The key in the bucket of a key of the try. */
export const bucketKey = ({ store }: Pick<TryPlace, 'store'>, key: string): string => keyIn(store.uriOf(key))
