// /docs: the OpenAPI document as a page to read, made on the server so that it works offline and runs nothing.
import { resolve, type Answer, type JsonSchema, type OpenApi, type Operation } from '../openapi-document.ts'
import { html, htmlPage, type Html } from './html.ts'

interface Route {
  path: string
  method: string
  operation: Operation
}

export function docsPage(document: OpenApi, { nonce, origin }: { nonce: string; origin: string }): string {
  const { info, paths, components } = document
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Route => ({ path, method: method.toUpperCase(), operation })),
  )
  const body = html`<h1>${info.title} ${info.version}</h1>
    <p>${info.description}</p>
    <p>For programs: <a href="/openapi.json">/openapi.json</a>. Routes under /v1 need <code>X-API-Key</code>.</p>
    <h2>Routes</h2>
    ${routes.map(route => routeSection(document, route, origin))}
    <h2>Shapes</h2>
    ${Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema))}`
  return htmlPage({ title: `${info.title} API`, nonce, body })
}

function routeSection(document: OpenApi, route: Route, origin: string): Html {
  const { path, method, operation } = route
  const fields = fieldsOf(document, operation)
  const answers = Object.entries(operation.responses).map(([status, answer]) =>
    answerRow(status, resolve(document, answer)),
  )
  return html`<details id="${operation.operationId}">
    <summary><b>${method}</b> <code>${path}</code> <span>${operation.summary}</span></summary>
    <div>
      <pre>${curlOf(route, fields, origin)}</pre>
      ${table(['Field', 'In', 'Takes', 'Default', 'About'], fields.map(fieldRow))}
      ${table(['Answer', 'Is', 'Data'], answers)}
    </div>
  </details>`
}

interface Field {
  name: string
  in: string
  required: boolean
  description?: string
  schema: JsonSchema
}

function fieldsOf(document: OpenApi, { parameters, requestBody }: Operation): Field[] {
  const { schema: whole = {} } = requestBody?.content['application/json'] ?? {}
  // Where rows can be had as files too, what is said of the file comes last and counts.
  const forms = whole.anyOf ?? [whole]
  const properties = Object.assign({}, ...forms.map(form => form.properties)) as Record<string, JsonSchema>
  const { required = [] } = forms[0]
  const body = Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'body', required: required.includes(name), description: schema.description, schema }
  })
  return [...parameters.map(parameter => resolve(document, parameter)), ...body]
}

function fieldRow({ name, in: place, required, description = '', schema }: Field): Html[] {
  return [
    html`<code>${name}</code>`,
    html`${place}${required ? ', required' : ''}`,
    describe(schema),
    schema.default === undefined ? html`` : html`<code>${JSON.stringify(schema.default)}</code>`,
    html`${description}`,
  ]
}

function answerRow(status: string, { description, content }: Answer): Html[] {
  const [media] = Object.values(content)
  const { data } = media.schema.properties ?? {}
  return [html`${status}`, html`${description}`, data ? describe(data.contentSchema ?? data) : html``]
}

function schemaSection(name: string, { properties = {} }: JsonSchema): Html {
  const rows = Object.entries(properties).map(([field, schema]) => [
    html`<code>${field}</code>`,
    describe(schema),
    html`${schema.description ?? ''}`,
  ])
  return html`<details id="${name}">
    <summary><code>${name}</code></summary>
    <div>${table(['Field', 'Is', 'About'], rows)}</div>
  </details>`
}

function table(heads: readonly string[], rows: readonly (readonly Html[])[]): Html {
  return html`<table>
    <tr>
      ${heads.map(head => html`<th>${head}</th>`)}
    </tr>
    ${rows.map(
      row =>
        html`<tr>
          ${row.map(cell => html`<td>${cell}</td>`)}
        </tr> `,
    )}
  </table>`
}

/** A schema in a few words: `integer 1–100`, `list of TradesRow`, `trades | quotes`. */
function describe(schema: JsonSchema): Html {
  const { type = 'any', $ref, items, anyOf, properties, minimum = '', maximum = '', format } = schema
  if ($ref) return link($ref.split('/').at(-1)!)
  if (schema.enum) return html`${schema.enum.join(' | ')}`
  if (schema.const !== undefined) return html`${JSON.stringify(schema.const)}`
  if (anyOf) return joined(anyOf.map(describe), ' or ')
  if (items) return html`list of ${describe(items)}`
  if (properties)
    return html`{${joined(
      Object.entries(properties).map(([name, inner]) => html`${name}: ${describe(inner)}`),
      ', ',
    )}}`
  const range = minimum === '' && maximum === '' ? '' : ` ${minimum}–${maximum}`
  return html`${format ?? [type].flat().join(' or ')}${range}`
}

function link(name: string): Html {
  return html`<a href="#${name}">${name}</a>`
}

function joined(parts: readonly Html[], separator: string): Html {
  return html`${parts.flatMap((part, i) => (i === 0 ? [part] : [html`${separator}`, part]))}`
}

/** A line to paste into a shell, with a place for everything that is required. */
function curlOf({ path, method, operation }: Route, fields: readonly Field[], origin: string): string {
  const required = fields.filter(field => field.required)
  const query = required.filter(field => field.in === 'query').map(({ name }) => `${name}=${name.toUpperCase()}`)
  const body = Object.fromEntries(required.filter(field => field.in === 'body').map(({ name }) => [name, '…']))
  return [
    isStream(operation) ? 'curl -N' : 'curl -s',
    `'${origin}${path}${query.length > 0 ? `?${query.join('&')}` : ''}'`,
    ...(operation.security ? [] : ["-H 'X-API-Key: KEY'"]),
    ...(method === 'POST' ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`] : []),
  ].join(' ')
}

function isStream({ responses }: Operation): boolean {
  return 'content' in responses[200] && 'text/event-stream' in responses[200].content
}
