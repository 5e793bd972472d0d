// Who may import whom: the rooms and arrows of docs/architecture.md, as rules. `npm run layers` holds the code against them.
const CLOUD_SDK =
  '^node_modules/(@azure/(keyvault-keys|identity|data-tables|service-bus|core-)|jose|openid-client|@google-cloud|@aws-sdk)';
/** Functions of their arguments. */
const PURE = '(node:)?(crypto|buffer)$';
const SMALL_LIBRARIES = 'node_modules/(lru-cache|p-limit|uuid)/';
/** Where SDKs and sockets are used. */
const CLIENTS = 'shared/(providers|identity)/.*(client|credentials)/';
/** Rooms of operations: each imports only what stands left of it. */
const ROOMS = [
  'audit',
  'keys',
  'connections',
  'keyrings',
  'data-keys',
  'companies',
  'tenants',
  'exports',
  'switches',
  'sign-ins',
  'watch',
  'notifications',
];
const BELOW_OPERATIONS = [
  'shared/(domain|store|providers|identity)/',
  'shared/operations/world\\.ts$',
  PURE,
  SMALL_LIBRARIES,
];

/** What `from` imports is in `allowed`. */
const only = (name, from, allowed, comment) => ({
  name,
  ...(comment && { comment }),
  severity: 'error',
  from: typeof from === 'string' ? { path: from } : from,
  to: { pathNot: `^(${allowed.join('|')})` },
});

/** What `from` imports is not `to`. */
const never = (name, from, to, comment) => ({
  name,
  ...(comment && { comment }),
  severity: 'error',
  from: typeof from === 'string' ? { path: from } : from,
  to: typeof to === 'string' ? { path: to } : to,
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only(
      'domain-knows-nothing',
      '^shared/domain/',
      ['shared/domain/', PURE, 'node_modules/lru-cache/'],
      'No store, cloud, SDK, setting or clock; of libraries one data structure.',
    ),
    only('failures-are-those-of-the-areas', '^shared/failures\\.ts$', ['shared/(domain|identity|providers)/']),
    never(
      'only-the-edge-knows-all-failures',
      '^shared/',
      '^shared/failures\\.ts$',
      'What makes a failure goes by its own area, so that a provider or a kind of tenants is added without the others.',
    ),
    only('store-knows-the-domain', '^shared/store/', ['shared/(domain|store)/', PURE, SMALL_LIBRARIES]),
    never(
      'keys-of-rows-are-spelt-in-the-store',
      { path: '^(functions|shared)/', pathNot: '^shared/store/' },
      '^shared/store/rows/row-keys\\.ts$',
      'Others know rows by their objects.',
    ),
    only(
      'rows-know-the-domain',
      '^shared/store/rows/',
      ['shared/domain/', 'shared/store/rows/', PURE],
      'What is stored is read and written by pure functions.',
    ),
    only(
      'providers-and-identity-are-pure-outside-of-their-clients',
      { path: '^shared/(providers|identity)/', pathNot: `^${CLIENTS}` },
      ['shared/(domain|providers|identity)/', PURE, SMALL_LIBRARIES],
    ),
    only('providers-know-domain-and-identity', '^shared/providers/', [
      'shared/(domain|providers|identity|adapters/https)/',
      'node_modules/',
      '(node:)?[a-z0-9/]+$',
    ]),
    never(
      'a-provider-knows-no-other',
      { path: '^shared/providers/([^/]+)/', pathNot: '^shared/providers/registry/' },
      { path: '^shared/providers/[^/]+/', pathNot: '^shared/providers/$1/' },
      'What two of them need is an idea of provider.ts or of the domain.',
    ),
    only('identity-knows-the-domain', '^shared/identity/', [
      'shared/(domain|identity|adapters/https)/',
      'node_modules/',
      '(node:)?[a-z0-9/]+$',
    ]),
    ...ROOMS.map((room, place) =>
      only(`${room}-imports-what-stands-left-of-it`, `^shared/operations/${room}/`, [
        ...BELOW_OPERATIONS,
        ...ROOMS.slice(0, place + 1).map((left) => `shared/operations/${left}/`),
      ]),
    ),
    only('an-operation-stands-in-a-room', '^shared/operations/[^/]+$', ['shared/(domain|store|providers|identity)/']),
    never('operations-know-no-client', '^shared/operations/', `^${CLIENTS}`),
    only('adapters-know-ports', '^shared/adapters/', [
      'shared/(domain|adapters)/',
      'shared/store/(tables|table-limits)\\.ts$',
      'node_modules/',
      '(node:)?[a-z0-9/]+$',
    ]),
    only('settings-know-domain-and-zod', '^shared/settings', ['shared/domain/', 'node_modules/zod/']),
    only(
      'host-knows-what-it-builds',
      '^shared/host',
      ['shared/(operations|store|providers)/'],
      'It builds what operations share over whatever world it is given, with or without Azure.',
    ),
    never('host-loads-no-cloud-sdk', '^shared/host', { path: CLOUD_SDK, reachable: true }),
    never(
      'only-clients-adapters-and-main-know-cloud-sdks',
      { path: '^(functions|shared)/', pathNot: `^(shared/adapters/|${CLIENTS}|functions/main)` },
      CLOUD_SDK,
    ),
    never(
      'handlers-know-no-adapter',
      '^functions/(http|service-bus|timer)/',
      `^(shared/(adapters|settings|host)|${CLIENTS}|functions/(main|world))`,
    ),
    only(
      'the-edge-names-no-provider-and-no-directory',
      '^functions/http/',
      [
        'functions/http/',
        'shared/(domain|store|operations)/',
        'shared/failures\\.ts$',
        'shared/providers/(provider\\.ts$|registry/)',
        'shared/identity/(identity\\.ts$|registry/)',
        'node_modules/',
        '(node:)?[a-z0-9_/]+$',
      ],
      'Whose key or directory it is: the registries know.',
    ),
    never(
      'kernel-knows-no-resource-and-no-page',
      '^functions/http/kernel/',
      '^functions/http/(resources/|pages/|routes\\.ts$)',
      'What takes every call: kernel <- pages/shell <- pages/sign-in, and kernel <- resources <- routes.ts.',
    ),
    only('kernel-schemas-know-domain-and-zod', '^functions/http/kernel/schemas/', [
      'functions/http/kernel/schemas/',
      'shared/domain/',
      'shared/failures\.ts$',
      'shared/providers/registry/',
      'node_modules/zod/',
    ]),
    never(
      'shell-of-pages-knows-no-page',
      '^functions/http/pages/shell/',
      '^functions/http/(resources/|routes\\.ts$|pages/(?!shell/))',
    ),
    never('resources-do-not-know-each-other', '^functions/http/resources/([^/]+)/', {
      path: '^functions/http/(resources/|pages/|routes\\.ts$)',
      pathNot: '^functions/http/resources/$1/',
    }),
    never('product-never-imports-its-scaffolding', '^(functions|shared)/', '^(test|local|bench|scripts|cli)/'),
    only(
      'recovery-needs-nothing-but-domain-and-jose',
      '^scripts/recover',
      [
        'scripts/(recover/|command-line)',
        'shared/domain/',
        '(node:)?(crypto|fs|fs/promises|util)$',
        'node_modules/jose/',
      ],
      'It must work on a machine that has no Azure and no network.',
    ),
    only(
      'command-line-knows-what-is-pure',
      '^cli/',
      [
        'cli/',
        'package\\.json$',
        'shared/domain/',
        'shared/providers/azure-key-vault/byok/',
        '(node:)?(crypto|fs)$',
        'node_modules/commander/',
      ],
      'What a key owner runs on a machine of their own needs no network and no Azure.',
    ),
    never(
      'no-test-runner-where-there-is-none',
      '^(bench/|local/|test/(simulation|model|mutation)/(main|[a-z]+-worker))',
      { path: '^(node_modules/)?vitest', reachable: true },
      'Benchmarks, simulation and demo run by themselves, and use parts of the tests that must do so too.',
    ),
    never('only-main-imports-main', '^(functions|shared)/', '^functions/main'),
    never('no-unresolvable', '^(functions|shared)/', { couldNotResolve: true }),
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
