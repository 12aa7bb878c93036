// Plain pages made on the server: no script, one style, dark or light as the reader has it.

/** Text that is HTML already. Whatever else goes into a template is escaped. */
export interface Html {
  html: string
}

export function html(texts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { html: texts.map((text, i) => (i === 0 ? text : written(values[i - 1]) + text)).join('') }
}

function written(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return value.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
  return 'html' in value ? value.html : value.map(({ html }) => html).join('')
}

export function htmlPage({ title, nonce, body }: { title: string; nonce: string; body: Html }): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style nonce="${nonce}">
          ${style}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.html
}

const style: Html = {
  html: `
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #30363f); --soft: light-dark(#5a6472, #98a2b0);
  --tint: light-dark(#f3f5f8, #1b2028); --accent: light-dark(#0b62c4, #6cb2ff); }
body { font: 14px/1.5 system-ui, sans-serif; margin: 0;
  background: light-dark(#fff, #12161c); color: light-dark(#1a1f27, #dde3ea); }
main { max-width: 64rem; margin: 0 auto; padding: 32px 16px; }
h1 { font-size: 22px; }
h2 { font-size: 16px; margin: 32px 0 8px; border-bottom: 1px solid var(--line); }
a { color: var(--accent); }
code, pre { font: 12px/1.5 ui-monospace, monospace; }
pre { background: var(--tint); padding: 8px 12px; overflow-x: auto; }
details { border: 1px solid var(--line); margin: 8px 0; }
details > div { padding: 0 12px 12px; overflow-x: auto; }
summary { padding: 8px 12px; cursor: pointer; }
summary b { display: inline-block; min-width: 3.5em; }
summary span { color: var(--soft); margin-left: 1em; }
table { border-collapse: collapse; width: 100%; margin-top: 12px; }
td:not(:last-child) { white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: normal; }`,
}
