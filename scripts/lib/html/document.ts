import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Content, Html, html } from './html.ts'

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8')

/** A page around its content, one file that loads nothing. @param script its own, where it has one */
export const documentOf = (title: string, content: Content, script?: string): string =>
  html`${DOCTYPE}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
${content}
</main>
${
  script !== undefined &&
  html`<script type="module">${new Html(script)}</script>
`
}</body>
</html>
`.markup

const DOCTYPE = new Html('<!doctype html>')

const hashed = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing may load; the one style sheet and the one script are known by their hashes. */
const policyOf = (script?: string): string =>
  `default-src 'none'; style-src ${hashed(style)}; script-src ${script === undefined ? "'none'" : hashed(script)}; base-uri 'none'; form-action 'none'`
