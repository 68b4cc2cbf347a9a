import * as sm from '@aws-sdk/client-sagemaker'
import pMap from 'p-map'
import { answered, ifThere, RUN_TAG, WORKSPACE_TAG } from '../../lib/aws/sagemaker/jobs.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Leftover } from './leftovers.ts'

/** Whose things are looked for. */
export interface Owner {
  readonly run: string
  readonly workspace: string
  readonly region: string
  /** Endpoints that the run has noted, whatever their names. */
  readonly endpoints: readonly string[]
}

export interface World {
  readonly client: sm.SageMakerClient
  readonly owner: Owner
  readonly aws: AwsSettings
  readonly signal: AbortSignal
}

/** Looks in flight. */
export const LOOKS_AT_ONCE = 4

export interface Found {
  readonly name: string
  readonly arn: string
}

/** What prestage makes is called so, but for endpoints that were given another name. */
const NAME = 'prestage'
/** What lists are asked for. */
export const QUERY = { NameContains: NAME, MaxResults: 100 } as const

export const about = ({ owner: { region } }: World, what: string, action: string) => ({
  what,
  action: `sagemaker:${action}`,
  resource: `arn:aws:sagemaker:${region}:*:*`,
})

/** Something that one call removes. */
export function leftover(
  world: World,
  kind: string,
  name: string,
  action: string,
  remove: () => Promise<unknown>,
): Leftover {
  const what = `${kind} ${name}`
  return {
    what,
    files: 0,
    bytes: 0,
    note: 'costs nothing by itself',
    remove: async () => void (await answered(ifThere(remove()), about(world, what, action))),
  }
}

/** All pages of a list. */
export async function pages<T extends { NextToken?: string | undefined }>(
  world: World,
  action: string,
  ask: (token: { NextToken?: string }) => Promise<T>,
  take: (page: T) => readonly Found[],
): Promise<Found[]> {
  const found: Found[] = []
  let token: string | undefined
  do {
    const page = await answered(
      ask(token === undefined ? {} : { NextToken: token }),
      about(world, 'what is in SageMaker', action),
    )
    // Others may have the word within a name, and a caller no right to look at theirs.
    found.push(...take(page).filter(({ name }) => name.startsWith(`${NAME}-`)))
    token = page.NextToken
  } while (token !== undefined)
  return found
}

/** What carries the tags of the run. */
export async function ownOf(world: World, all: readonly Found[]): Promise<Found[]> {
  const { client, owner, signal } = world
  const owned = await pMap(
    all,
    async ({ arn }) => {
      const asked = client.send(new sm.ListTagsCommand({ ResourceArn: arn, MaxResults: 100 }), { abortSignal: signal })
      const { Tags = [] } = (await answered(ifThere(asked), about(world, arn, 'ListTags'))) ?? {}
      const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]))
      return tags.get(RUN_TAG) === owner.run && tags.get(WORKSPACE_TAG) === owner.workspace
    },
    { concurrency: LOOKS_AT_ONCE, signal },
  )
  return all.filter((_, i) => owned[i])
}
