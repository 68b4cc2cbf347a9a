import assert from 'node:assert/strict'
import type { InferOutput } from 'valibot'
import type { asffBatch } from './shapes.ts'

type Batch = InferOutput<typeof asffBatch>
type Found = Batch[number]

/**
 * What BatchImportFindings makes of a batch: "BatchImportFindings for finding providers", Security Hub user guide. An update that is as
 * old as what is there is in no document, so that both are tried.
 */
export class SecurityHub {
  readonly #findings = new Map<string, Found>()
  readonly #sameAge: 'taken' | 'ignored'

  constructor(sameAge: 'taken' | 'ignored') {
    this.#sameAge = sameAge
  }

  import(batch: Batch): void {
    for (const found of batch) {
      const before = this.#findings.get(found.Id)
      if (before !== undefined && !this.#isNewer(found, before)) continue
      // What is said of severity and types of a finding that exists is taken from the provider's own fields.
      const { Severity, Types } = found.FindingProviderFields
      this.#findings.set(found.Id, { ...found, Severity, Types })
    }
  }

  finding(id: string): Found {
    return this.#findings.get(id) ?? assert.fail(`no finding ${id}`)
  }

  #isNewer({ UpdatedAt }: Found, before: Found): boolean {
    const [is, was] = [Date.parse(UpdatedAt), Date.parse(before.UpdatedAt)]
    return is > was || (is === was && this.#sameAge === 'taken')
  }
}
