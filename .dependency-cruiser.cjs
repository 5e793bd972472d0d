// Who may import whom: the table of docs/architecture.md, as rules. `npm run layers` holds the code against it.
const cloudSdk =
  '^(@azure/(keyvault-keys|identity|data-tables|service-bus|core-)|jose|openid-client|@google-cloud|@aws-sdk)';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-knows-nothing',
      comment:
        'Pure: no operation, adapter, setting, SDK or environment. node:crypto and node:buffer are functions of their arguments.',
      severity: 'error',
      from: { path: '^shared/domain/' },
      to: { pathNot: '^(shared/domain/|(node:)?(crypto|buffer)$)' },
    },
    {
      name: 'operations-know-domain-and-ports',
      severity: 'error',
      from: { path: '^shared/operations/' },
      to: { pathNot: '^(shared/(domain|operations)/|(node:)?(crypto|buffer)$|node_modules/(lru-cache|p-limit|uuid)/)' },
    },
    {
      name: 'adapters-know-domain-and-port-types',
      severity: 'error',
      from: { path: '^shared/adapters/' },
      to: { path: '^(functions|shared/(settings|host))' },
    },
    {
      name: 'adapters-import-only-types-of-operations',
      severity: 'error',
      from: { path: '^shared/adapters/' },
      // The limits of the store stand beside the port, and both who is behind it and its fake hold them.
      to: {
        path: '^shared/operations/',
        pathNot: '^shared/operations/table-limits\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'settings-know-domain-and-zod',
      severity: 'error',
      from: { path: '^shared/settings' },
      to: { pathNot: '^(shared/domain/|node_modules/zod/)' },
    },
    {
      name: 'handlers-know-no-adapter',
      severity: 'error',
      from: { path: '^functions/(http|service-bus|timer)/' },
      to: { path: '^(shared/(adapters|settings|host)|functions/(main|world))' },
    },
    {
      name: 'host-knows-operations-alone',
      comment: 'It builds what operations share over whatever world it is given: whoever has no Azure runs it too.',
      severity: 'error',
      from: { path: '^shared/host' },
      to: { pathNot: '^shared/operations/' },
    },
    {
      name: 'host-loads-no-cloud-sdk',
      severity: 'error',
      from: { path: '^shared/host' },
      to: { path: `node_modules/${cloudSdk.slice(1)}`, reachable: true },
    },
    {
      name: 'kernel-knows-no-resource',
      comment: 'What takes every call: kernel <- pages/shell <- pages/sign-in, and kernel <- resources <- routes.ts.',
      severity: 'error',
      from: { path: '^functions/http/kernel/' },
      to: { path: '^functions/http/(resources/|routes\\.ts$|pages/(?!shell/))' },
    },
    {
      name: 'kernel-schemas-know-domain-and-zod',
      severity: 'error',
      from: { path: '^functions/http/kernel/schemas/' },
      to: { pathNot: '^(functions/http/kernel/schemas/|shared/domain/|node_modules/zod/)' },
    },
    {
      name: 'shell-of-pages-knows-no-page',
      severity: 'error',
      from: { path: '^functions/http/pages/shell/' },
      to: { path: '^functions/http/(resources/|routes\\.ts$|pages/(?!shell/))' },
    },
    {
      name: 'resources-do-not-know-each-other',
      severity: 'error',
      from: { path: '^functions/http/resources/([^/]+)/' },
      to: { path: '^functions/http/(resources/|pages/|routes\\.ts$)', pathNot: '^functions/http/resources/$1/' },
    },
    {
      name: 'only-adapters-and-main-know-cloud-sdks',
      severity: 'error',
      from: { path: '^(functions|shared)/', pathNot: '^(shared/adapters/|functions/main)' },
      to: { path: `node_modules/${cloudSdk.slice(1)}` },
    },
    {
      name: 'product-never-imports-its-scaffolding',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { path: '^(test|local|bench|scripts)/' },
    },
    {
      name: 'recovery-needs-nothing-but-domain-and-jose',
      comment: 'It must work on a machine that has no Azure and no network.',
      severity: 'error',
      from: { path: '^scripts/recover' },
      to: {
        pathNot:
          '^(scripts/(recover/|command-line)|shared/domain/|(node:)?(crypto|fs|fs/promises|util)$|node_modules/jose/)',
      },
    },
    {
      name: 'no-test-runner-where-there-is-none',
      comment: 'Benchmarks, simulation and demo run by themselves, and use parts of the tests that must do so too.',
      severity: 'error',
      from: { path: '^(bench/|local/|test/(simulation|model|mutation)/(main|[a-z]+-worker))' },
      to: { path: '^(node_modules/)?vitest', reachable: true },
    },
    {
      name: 'only-main-imports-main',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { path: '^functions/main' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.local)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
