import type { AddTagsInput, DeleteTagsInput, ListTagsInput, Tag } from '@aws-sdk/client-sagemaker'
import { invalid, limitExceeded } from './errors.ts'
import { pageOf } from './lists.ts'

/** "Tag restrictions", AWS General Reference. */
const MOST = 50

/** Tags of all resources, by ARN. */
export class Tags {
  readonly #tags = new Map<string, Map<string, string>>()

  /** A new resource, that can have tags from now on. @throws AwsError */
  create(arn: string, tags: readonly Tag[] = []): void {
    const kept = new Map<string, string>()
    put(kept, tags)
    this.#tags.set(arn, kept)
  }

  remove(arn: string): void {
    this.#tags.delete(arn)
  }

  of(arn: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#find(arn))
  }

  #find(arn = ''): Map<string, string> {
    const found = this.#tags.get(arn)
    if (found === undefined) throw invalid(`Could not find resource "${arn}".`)
    return found
  }

  add({ ResourceArn, Tags }: AddTagsInput) {
    const tags = this.#find(ResourceArn)
    put(tags, Tags ?? [])
    return { Tags: listed(tags) }
  }

  delete({ ResourceArn, TagKeys }: DeleteTagsInput) {
    const tags = this.#find(ResourceArn)
    for (const key of TagKeys ?? []) tags.delete(key)
  }

  list({ ResourceArn, MaxResults = MOST, NextToken }: ListTagsInput) {
    const { page, next } = pageOf(listed(this.#find(ResourceArn)), { MaxResults, NextToken })
    return { Tags: page, NextToken: next }
  }
}

const listed = (tags: ReadonlyMap<string, string>): Tag[] => [...tags].map(([Key, Value]) => ({ Key, Value }))

function put(kept: Map<string, string>, tags: readonly Tag[]): void {
  for (const { Key = '', Value = '' } of tags) {
    if (/^aws:/i.test(Key)) throw invalid(`One or more tag keys use the reserved prefix aws: ${Key}`)
    kept.set(Key, Value)
  }
  if (kept.size > MOST) throw limitExceeded(`A resource cannot have more than ${MOST} tags.`)
}
