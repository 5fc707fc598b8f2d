targetScope = 'subscription'

import { operator } from 'types.bicep'

@description('Name of the environment, part of every name and tag.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region. It must offer Flex Consumption and, for training on GPUs, serverless GPUs.')
@minLength(3)
param location string

@description('Training image by digest (name@sha256:...). Container Apps reads it while deploying.')
@minLength(1)
param trainerImage string

@description('Which trainers the image has: `built-in` for the one of this repository, else what yours prints with `--describe` (docs/trainers.md).')
param trainers string = 'built-in'

@description('Where trainings run. Serverless GPUs need quota; none of the three costs anything while idle.')
@allowed(['cpu', 't4', 'a100'])
param compute string = 't4'

@description('Machines of a cluster in Azure Machine Learning, for projects with `trainer.compute` `azure-ml`; `none`: no workspace. An idle cluster costs about 10 USD a month.')
@allowed(['none', 'cpu', 't4', 'a100'])
param machineLearning string = 'none'

@description('Most machines of that cluster at once.')
@minValue(1)
@maxValue(100)
param machineLearningMachines int = 1

@description('Line that starts the trainer in its image, where Azure Machine Learning runs it; Container Apps runs what the image says.')
@minLength(1)
param trainerCommand string = 'node /app/main.mjs'

@description('Make a container registry (about 5 USD a month) and let the job pull from it by identity.')
param withRegistry bool = false

@description('Tier of Service Bus. Basic holds every feature that is used; Standard takes more than 100 connections, Premium more than 1,000 operations a second.')
@allowed(['Basic', 'Standard', 'Premium'])
param serviceBusTier string = 'Basic'

@description('Version of Node for the functions. 22 ends in April 2027; 24 where `az functionapp list-flexconsumption-runtimes --location REGION --runtime node` shows it.')
@allowed(['22', '24'])
param nodeVersion string = '22'

@description('Let Service Bus show the platform how long queues are, so that a burst gets many instances at once. It takes the role of an owner of each queue.')
param scaleOnQueueLength bool = false

@description('Most instances of the function app, for each group of functions that scales: HTTP, the timer, and every queue and its dead letters. Basic takes 4 with its 100 connections, Standard 48.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = serviceBusTier == 'Basic' ? 4 : 40

@description('Memory of one instance. Images of 50 megapixels need 2048.')
@allowed([2048, 4096])
param instanceMemoryMB int = 2048

@description('Address of the package of a release (a zip), which is then deployed with everything else. Empty: deploy the code by azd or the workflow.')
param packageUri string = ''

@description('People who operate this environment: they read scans, documents and logs, and make API keys.')
param operators operator[] = []

@description('Origins of web pages that call the API and upload in a browser (https://scans.example.com); empty: none.')
param allowedOrigins string[] = []

@description('Settings of the app for which the default does not do, by name, for example RATE_LIMIT_KEY_PER_SECOND. Never a secret: whoever may read the app reads them.')
param appSettings { *: string } = {}

@description('Email addresses that are told of alerts.')
param alertEmails string[] = []

@description('Seconds of training per day above which an alert is sent. An hour on a T4 is about 1.60 USD.')
@minValue(60)
param trainingSecondsPerDay int = 14400

@description('GB-seconds of functions per day above which an alert is sent: 100,000 are about 2.60 USD. Requests that are refused count as well.')
@minValue(1000)
param functionGbSecondsPerDay int = 100000

@description('Monthly budget in the billing currency; 0: none. It tells and does not stop anything.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget was first deployed (2027-01-01). Set it once: it can never be changed.')
param budgetStart string = ''

@description('Days for which deleted blobs can be brought back; erased scans exist as long.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Most gigabytes of logs per day, as a decimal number; later records of that day are lost. 5 GB a month are free.')
param dailyLogGigabytes string = '0.15'

@description('Log every read and write of scans, not only deletions.')
param auditReads bool = false

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-darkroom-${environmentName}'
  location: location
  tags: { application: 'darkroom', 'azd-env-name': environmentName }
}

module resources 'resources.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    location: location
    trainerImage: trainerImage
    trainers: trainers
    compute: compute
    machineLearning: machineLearning
    machineLearningMachines: machineLearningMachines
    trainerCommand: trainerCommand
    withRegistry: withRegistry
    serviceBusTier: serviceBusTier
    nodeVersion: nodeVersion
    scaleOnQueueLength: scaleOnQueueLength
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
    packageUri: packageUri
    operators: operators
    allowedOrigins: allowedOrigins
    appSettings: appSettings
    alertEmails: alertEmails
    trainingSecondsPerDay: trainingSecondsPerDay
    functionGbSecondsPerDay: functionGbSecondsPerDay
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
    softDeleteDays: softDeleteDays
    dailyLogGigabytes: dailyLogGigabytes
    auditReads: auditReads
  }
}

@description('Resource group of everything.')
output resourceGroupName string = group.name
@description('Address of the HTTP API.')
output endpoint string = resources.outputs.endpoint
@description('Name of the function app.')
output functionAppName string = resources.outputs.functionAppName
@description('Address of the documents, for making the first API key.')
output cosmosEndpoint string = resources.outputs.cosmosEndpoint
@description('Address of the blobs.')
output blobServiceUri string = resources.outputs.blobServiceUri
@description('Address of the packages that were deployed last.')
output releasesUri string = resources.outputs.releasesUri
@description('Resource id of Application Insights.')
output insightsId string = resources.outputs.insightsId
