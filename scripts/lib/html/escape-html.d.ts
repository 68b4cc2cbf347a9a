declare module 'escape-html' {
  /** Escapes `"`, `'`, `&`, `<` and `>`. */
  export default function escapeHtml(text: string): string
}
