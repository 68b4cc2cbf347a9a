import { readFileSync, writeFileSync } from 'node:fs'
import { ROOT } from '../support/run-script.ts'
import { withDigest } from './digest.ts'
import { namedQueryParts, withParts } from './named-queries.ts'

/** `npm run cfn`: writes the questions of sql/explore into the template, and its digest. */
const path = `${ROOT}cfn/prestage.yaml`
const before = readFileSync(path, 'utf8')
const after = withDigest(withParts(before, await namedQueryParts()))
if (after !== before) writeFileSync(path, after)
process.stdout.write(after === before ? 'cfn/prestage.yaml was up to date\n' : 'cfn/prestage.yaml rewritten\n')
