// A ward's work with fhir-kit-client, unmodified. Reads a job as JSON from standard input:
// {baseUrl, token, family, system, number, patient, admission}; writes what it saw as JSON.
import { Client } from 'fhir-kit-client';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const job = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const client = new Client({ baseUrl: job.baseUrl, bearerToken: job.token });
const stranger = new Client({ baseUrl: job.baseUrl });
const statusOf = (promise) => promise.then(() => 'no refusal', (error) => error.response?.status ?? String(error));

async function lifecycle() {
  const created = await client.create({ resourceType: 'Patient', body: job.patient });
  const { response } = Client.httpFor(created);
  const { id } = created;
  const read = await client.read({ resourceType: 'Patient', id });
  const updated = await client.update({
    resourceType: 'Patient', id, body: { ...read, gender: 'other' }, options: { headers: { 'If-Match': 'W/"1"' } },
  });
  const staleStatus = await statusOf(client.update({
    resourceType: 'Patient', id, body: { ...read, gender: 'unknown' }, options: { headers: { 'If-Match': 'W/"1"' } },
  }));
  const patched = await client.patch({
    resourceType: 'Patient', id, jsonPatch: [{ op: 'replace', path: '/birthDate', value: '1971-02-03' }],
  });
  const first = await client.vread({ resourceType: 'Patient', id, version: '1' });
  const history = await client.history({ resourceType: 'Patient', id });
  await client.delete({ resourceType: 'Patient', id });
  return {
    createdStatus: response.status,
    location: response.headers.get('location'),
    etag: response.headers.get('etag'),
    readEqual: JSON.stringify(read) === JSON.stringify(created),
    updated: [updated.meta.versionId, updated.gender],
    staleStatus,
    patched: [patched.meta.versionId, patched.gender, patched.birthDate],
    first: [first.meta.versionId, first.gender],
    versions: history.entry.map((entry) => entry.resource.meta.versionId),
    goneStatus: await statusOf(client.read({ resourceType: 'Patient', id })),
  };
}

async function work() {
  const answer = await client.transaction({ body: job.admission });
  const found = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${job.system}|${job.number}` } });
  const patient = found.entry[0].resource;
  const moments = [];
  let pages = 0;
  let page = await client.search({
    resourceType: 'Observation',
    searchParams: { 'subject:Patient.family': job.family, _count: '60', _sort: 'date' },
  });
  while (page) {
    pages += 1;
    moments.push(...page.entry.map((entry) => entry.resource.effectiveDateTime));
    page = await client.nextPage({ bundle: page });
  }
  const compartment = await client.compartmentSearch({
    resourceType: 'Condition', compartment: { resourceType: 'Patient', id: patient.id },
  });
  const included = await client.search({
    resourceType: 'Encounter', searchParams: { patient: patient.id, _include: 'Encounter:subject' },
  });
  const posted = await client.search({
    resourceType: 'Patient', searchParams: { family: job.family }, options: { postSearch: true },
  });
  const everything = await client.operation({
    name: '$everything', resourceType: 'Patient', id: patient.id, method: 'GET',
  });
  const resolved = await client.resolve({ reference: compartment.entry[0].resource.subject.reference });
  return {
    statuses: [...new Set(answer.entry.map((entry) => entry.response.status.slice(0, 3)))],
    pages,
    moments,
    problems: compartment.entry.map((entry) => entry.resource.resourceType),
    included: included.entry.map((entry) => [entry.resource.resourceType, entry.search.mode]),
    posted: posted.entry.length,
    everything: everything.entry.filter((entry) => entry.search?.mode !== 'outcome').length,
    everythingHasPatient: everything.entry.some((entry) => entry.resource.id === patient.id),
    resolved: resolved.id === patient.id,
  };
}

async function refusals() {
  return {
    stranger: await statusOf(stranger.search({ resourceType: 'Patient', searchParams: { family: job.family } })),
    metadata: (await stranger.capabilityStatement()).fhirVersion,
    unknownParameter: await statusOf(client.search({ resourceType: 'Patient', searchParams: { colour: 'red' } })),
    unknownType: await statusOf(client.search({ resourceType: 'Ward', searchParams: { name: 'x' } })),
    missing: await statusOf(client.read({ resourceType: 'Patient', id: 'nobody-of-this-name' })),
  };
}

const tasks = { lifecycle, work, refusals };
process.stdout.write(JSON.stringify(await tasks[job.task]()));
