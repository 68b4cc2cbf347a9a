import { posix } from 'node:path'
import ts from 'typescript-dev'

/** Files of the project by path from its root. The rules are pure over them, so that tests can feed bad examples. */
export type Files = ReadonlyMap<string, string>
export type Rule = (files: Files) => string[]

interface Import {
  readonly from: string
  readonly kind: 'static' | 'type' | 'dynamic'
}

const HEAVY = /^(@duckdb\/node-api|fastify|@observablehq\/plot|linkedom|@aws-sdk\/.*|@smithy\/.*)$/
const AWS = /^@(aws-sdk|smithy)\//
/** A step's file may use the AWS SDK when its name says which service it speaks to; `direct` is CopyObject. */
const AWS_FILE =
  /^(scripts\/lib\/aws\/.*|scripts\/lib\/stores\/s3(-[a-z]+)*|.*\/(athena|batch|sagemaker)\/.*|.*\/([a-z]+-)*(athena|batch|direct|glue|s3|sagemaker)(-[a-z]+)*)\.ts$/
const GROUND = ['cli', 'sources', 'aws', 'insights', 'html']
const SHARED = ['scripts/lib/cli/errors.ts', 'scripts/lib/cli/format.ts', 'scripts/lib/cli/host.ts']
const BOOT = 'scripts/lib/cli/boot.mjs'
const LONGEST = 300
/** What says something about the machine and Node, not about this process. */
const HARMLESS = ['platform', 'arch', 'version', 'versions', 'features', 'execPath', 'memoryUsage', 'hrtime']

const roomOf = (path: string): string => /^scripts\/(?:lib\/)?([^/]+)\//.exec(path)?.[1] ?? ''
const floorOf = (room: string): number =>
  GROUND.includes(room)
    ? 0
    : (({ stores: 1, runs: 2, engines: 3, pipeline: 5, nightly: 5 } as Record<string, number>)[room] ?? 4)

const codeOf = (files: Files): [string, string][] =>
  [...files].filter(([path]) => /^scripts\/(?!recipes\/)[^/]+\/.*\.(ts|mjs)$/.test(path))

/** A room imports only from lower floors or itself; a ground room, besides itself, only what errors and numbers look like. */
export const floors: Rule = (files) =>
  codeOf(files).flatMap(([path, text]) => {
    const room = roomOf(path)
    return localImports(path, text).flatMap(({ target }) => {
      const other = roomOf(target)
      if (!target.startsWith('scripts/')) return [`${path} imports ${target}, outside scripts/`]
      if (other === room || SHARED.includes(target)) return []
      if (floorOf(other) < floorOf(room)) return []
      return [`${path} (floor ${floorOf(room)}) imports ${target} (floor ${floorOf(other)})`]
    })
  })

/** The AWS SDK is spoken to in few places, all named after it. */
export const awsPlaces: Rule = (files) =>
  codeOf(files).flatMap(([path, text]) =>
    importsOf(path, text)
      .filter(({ from }) => AWS.test(from) && !AWS_FILE.test(path))
      .map(({ from }) => `${path} imports ${from}: only aws/, stores/s3.ts and files named after a service may`),
  )

/** No file is longer than can be kept in mind. */
export const sizes: Rule = (files) =>
  [...files]
    .filter(([path]) => /^(scripts|test)\/.*\.(ts|mjs)$/.test(path))
    .map(([path, text]) => [path, text.trimEnd().split('\n').length] as const)
    .filter(([, lines]) => lines > LONGEST)
    .map(([path, lines]) => `${path} has ${lines} lines, more than ${LONGEST}`)

/** Every entry has the same lines. */
export const entryShape: Rule = (files) =>
  entriesOf(files)
    .filter((name) => files.get(`scripts/${name}.mjs`) !== entryText(name))
    .map((name) => `scripts/${name}.mjs is not the usual entry`)

export const entryText = (name: string): string =>
  `#!/usr/bin/env zx
import { run } from './lib/cli/boot.mjs'

await run(import.meta.url, () => import('./${name}/command.ts'))
`

/** An entry has a room with a face, and a face has an entry. */
export const entryAndRoom: Rule = (files) => {
  const rooms = [...files.keys()].flatMap((path) => /^scripts\/([^/]+)\/command\.ts$/.exec(path)?.[1] ?? [])
  const faces = rooms.filter((room) => room !== 'cli')
  const entries = entriesOf(files)
  return [
    ...entries.filter((name) => !faces.includes(name)).map((name) => `scripts/${name}.mjs has no ${name}/command.ts`),
    ...faces.filter((name) => !entries.includes(name)).map((name) => `${name}/command.ts has no scripts/${name}.mjs`),
  ]
}

const entriesOf = (files: Files): string[] =>
  [...files.keys()]
    .flatMap((path) => /^scripts\/([^/]+)\.mjs$/.exec(path)?.[1] ?? [])
    .filter((name) => name !== 'prestage')

/** Every import leads on, for types too: no file imports itself through others. */
export const noCircles: Rule = (files) => {
  const seen = new Map<string, 'open' | 'done'>()
  const visit = (path: string, chain: readonly string[]): string[] => {
    if (seen.get(path) === 'open') return [[...chain.slice(chain.indexOf(path)), path].join(' → ')]
    if (seen.has(path)) return []
    seen.set(path, 'open')
    const found = localImports(path, files.get(path) ?? '')
      .filter(({ kind }) => kind !== 'dynamic')
      .flatMap(({ target }) => visit(target, [...chain, path]))
    seen.set(path, 'done')
    return found
  }
  return [...files.keys()].filter((path) => path.startsWith('scripts/')).flatMap((path) => visit(path, []))
}

/** A file is named after what it is, not after how it is used. */
export const plainNames: Rule = (files) =>
  [...files.keys()]
    .filter((path) => /^scripts\/.*\/(in|on|ask)-[^/]*$/.test(path))
    .map((path) => `${path} begins with a preposition or a verb`)

/** Arguments, environment, exit code, streams, signals and pauses belong to the host, which boot.mjs makes of the process. */
export const noProcess: Rule = (files) =>
  codeOf(files)
    .filter(([path]) => path !== BOOT)
    .flatMap(([path, text]) => {
      const found = importsOf(path, text)
        .filter(({ from }) => /^(node:)?(process|tty)$/.test(from))
        .map(({ from }) => `${path} imports ${from}`)
      const visit = (node: ts.Node): void => {
        if (ts.isIdentifier(node) && isReference(node)) {
          const member = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : ''
          if (node.text === 'console') found.push(`${path} uses console`)
          if (node.text === 'process' && !HARMLESS.includes(member)) found.push(`${path} uses process.${member}`)
        }
        ts.forEachChild(node, visit)
      }
      visit(parse(path, text))
      return found
    })

/** True for a name that stands for the variable, not for a member or key that happens to be called so. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent))
    return parent.expression === node || parent.expression.getText() === 'globalThis'
  return !ts.isPropertyAssignment(parent) && !ts.isPropertySignature(parent) && !ts.isMethodDeclaration(parent)
}

/** Help is quick because no face loads a heavy library, not even through others. */
export const lightFaces: Rule = (files) =>
  [...files.keys()]
    .filter((path) => /^scripts\/[^/]+\/command\.ts$/.test(path))
    .flatMap((face) => heavyBelow(files, face, [face], new Set()))

function heavyBelow(files: Files, path: string, chain: readonly string[], seen: Set<string>): string[] {
  if (seen.has(path)) return []
  seen.add(path)
  const text = files.get(path) ?? ''
  const heavy = importsOf(path, text)
    .filter(({ from, kind }) => kind === 'static' && HEAVY.test(from))
    .map(({ from }) => `${chain.join(' → ')} loads ${from} statically`)
  const below = localImports(path, text)
    .filter(({ kind }) => kind === 'static')
    .flatMap(({ target }) => heavyBelow(files, target, [...chain, target], seen))
  return [...heavy, ...below]
}

/** What AssemblyScript compiles is a program of its own. */
const isAssembly = (path: string) => path.includes('/assembly/')

/** An exported function has a name of its own; only the `command` of every room is called so. Overloads are one function. */
export const distinctNames: Rule = (files) => {
  const places = new Map<string, Set<string>>()
  for (const [path, text] of files)
    if (/^scripts\/.*\.(ts|mjs)$/.test(path) && !isAssembly(path))
      for (const name of exportedFunctions(parse(path, text)))
        places.set(name, (places.get(name) ?? new Set()).add(path))
  return [...places]
    .filter(([name, paths]) => name !== 'command' && paths.size > 1)
    .map(([name, paths]) => `${name} is exported by ${[...paths].join(' and ')}`)
}

const isFunction = (node: ts.Expression | undefined): boolean =>
  node !== undefined && (ts.isArrowFunction(node) || ts.isFunctionExpression(node))

const exportedFunctions = (file: ts.SourceFile): string[] =>
  file.statements
    .filter((node) => ts.canHaveModifiers(node) && ts.getModifiers(node)?.[0]?.kind === ts.SyntaxKind.ExportKeyword)
    .flatMap((node) => {
      if (ts.isFunctionDeclaration(node)) return node.name?.text ?? []
      if (!ts.isVariableStatement(node)) return []
      return node.declarationList.declarations.flatMap(({ name, initializer }) =>
        isFunction(initializer) ? name.getText() : [],
      )
    })

/** A test file without a test passes, and one with a marked test leaves the others out. */
export const realTests: Rule = (files) =>
  [...files]
    .filter(([path]) => path.endsWith('.test.ts'))
    .flatMap(([path, text]) => {
      let tests = 0
      let only = false
      const visit = (node: ts.Node): void => {
        if (ts.isCallExpression(node)) {
          const [name, mark] = node.expression.getText().split('.')
          if (name === 'test' || name === 'it') tests += 1
          if (/^(test|it|describe|suite)$/.test(name ?? '') && mark === 'only') only = true
        }
        if (ts.isPropertyAssignment(node) && node.getText() === 'only: true') only = true
        ts.forEachChild(node, visit)
      }
      visit(parse(path, text))
      return [
        ...(tests > 0 ? [] : [`${path} has no test`]),
        ...(only ? [`${path} has a test marked as the only one`] : []),
      ]
    })

function localImports(path: string, text: string): (Import & { target: string })[] {
  return importsOf(path, text)
    .filter(({ from }) => from.startsWith('.'))
    .map((found) => ({ ...found, target: posix.join(posix.dirname(path), found.from) }))
}

const imports = new Map<string, readonly Import[]>()

/** Several rules ask for the imports of a file. */
function importsOf(path: string, text: string): readonly Import[] {
  const key = `${path}\n${text}`
  const found = imports.get(key) ?? importsIn(path, text)
  imports.set(key, found)
  return found
}

function importsIn(path: string, text: string): readonly Import[] {
  const found: Import[] = []
  const add = (node: ts.Node | undefined, kind: Import['kind']) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push({ from: node.text, kind })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause) ? 'type' : 'static')
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, 'type')
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], 'dynamic')
    ts.forEachChild(node, visit)
  }
  visit(parse(path, text))
  return found
}

/** `import type …`. With inline `type` the module is loaded all the same, under verbatimModuleSyntax. */
const isTypeOnly = (clause: ts.ImportClause | undefined): boolean => clause?.phaseModifier === ts.SyntaxKind.TypeKeyword

const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
