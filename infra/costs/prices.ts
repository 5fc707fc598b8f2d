/**
 * List prices in USD, East US, pay as you go, read in October 2026. Other regions are up to a fifth dearer. Where a
 * grant is given per subscription it is shared by all environments in it.
 */
export const pricesReadIn = 'October 2026';

export const prices = {
  functions: {
    gbSecond: 0.000026,
    perMillionExecutions: 0.4,
    freeGbSeconds: 100_000,
    freeExecutions: 250_000,
    source: 'https://azure.microsoft.com/pricing/details/functions/ (Flex Consumption, on demand)',
  },
  cosmos: {
    perMillionRu: 0.25,
    gbMonth: 0.25,
    source: 'https://azure.microsoft.com/pricing/details/cosmos-db/serverless/; 7 days of continuous backup are free',
  },
  serviceBus: {
    perMillionOperations: 0.05,
    standardMonth: 9.81,
    premiumUnitMonth: 677,
    source: 'https://azure.microsoft.com/pricing/details/service-bus/',
  },
  eventGrid: {
    perMillionOperations: 0.6,
    freeOperations: 100_000,
    source: 'https://azure.microsoft.com/pricing/details/event-grid/ (system topics)',
  },
  blob: {
    per10kWrites: 0.05,
    per10kReads: 0.004,
    gbMonth: 0.0208,
    source: 'https://azure.microsoft.com/pricing/details/storage/blobs/ (hot, LRS); listing is priced as writing',
  },
  monitor: {
    logGb: 2.3,
    freeLogGb: 5,
    logAlertMonth: 0.5,
    logAlertSeriesMonth: 0.05,
    metricSeriesMonth: 0.1,
    freeMetricSeries: 10,
    source:
      'https://azure.microsoft.com/pricing/details/monitor/ (log alert every 15 minutes, each further time series)',
  },
  registry: { basicMonth: 5, source: 'https://azure.microsoft.com/pricing/details/container-registry/' },
  containerApps: {
    vcpuSecond: 0.000024,
    gibSecond: 0.000003,
    t4Hour: 1.56,
    a100Hour: 6.35,
    source:
      'https://azure.microsoft.com/pricing/details/container-apps/ (GPU hours with the vCPUs and memory of the whole profile)',
  },
  machineLearning: {
    clusterDay: 0.33,
    cpuHour: 0.229,
    t4Hour: 0.526,
    a100Hour: 3.673,
    source:
      'https://azure.microsoft.com/pricing/details/machine-learning/ (DS3 v2, NC4as T4 v3 and NC24ads A100 v4, as of 2025, without a surcharge) and https://learn.microsoft.com/azure/machine-learning/concept-plan-manage-cost (the load balancer of a cluster, for each 50 machines, however few run)',
  },
} as const;
