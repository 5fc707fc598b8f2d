import { roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the Container Apps environment.')
param environmentName string
@description('Name of the job.')
param jobName string
@description('Where the job runs.')
@allowed(['cpu', 't4', 'a100'])
param compute string
@description('Training image.')
param image string
@description('Pull the image by identity from the registry of this environment; else it is public.')
param withRegistry bool
@description('Host of that registry.')
param registryServer string
@description('Name of the identity that pulls from that registry.')
param pullerName string
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal that starts jobs.')
param appPrincipalId string

@description('Workload profile, and the whole of what it offers one container: less is not cheaper on a GPU.')
var profile = {
  cpu: { type: 'Consumption', cpu: json('4'), memory: '8Gi' }
  t4: { type: 'Consumption-GPU-NC8as-T4', cpu: json('8'), memory: '56Gi' }
  a100: { type: 'Consumption-GPU-NC24-A100', cpu: json('24'), memory: '220Gi' }
}[compute]
@description('Name of the profile in the environment.')
var profileName = compute == 'cpu' ? 'Consumption' : 'gpu'
@description('The longest that project settings allow a training (trainer.timeoutSeconds).')
var longestTrainingSeconds = 86400

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource puller 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: pullerName }

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    // the log-analytics destination would want a shared key
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: concat(
      [{ name: 'Consumption', workloadProfileType: 'Consumption' }],
      compute == 'cpu' ? [] : [{ name: profileName, workloadProfileType: profile.type }]
    )
    zoneRedundant: false
  }
}

resource job 'Microsoft.App/jobs@2026-01-01' = {
  name: jobName
  location: location
  tags: tags
  identity: withRegistry ? { type: 'UserAssigned', userAssignedIdentities: { '${puller.id}': {} } } : { type: 'None' }
  properties: {
    environmentId: environment.id
    workloadProfileName: profileName
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: longestTrainingSeconds
      // a run has attempts of its own, each with a new token
      replicaRetryLimit: 0
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      registries: withRegistry ? [{ server: registryServer, identity: puller.id }] : []
      // pulls the image and is out of reach for what runs in it
      identitySettings: withRegistry ? [{ identity: puller.id, lifecycle: 'None' }] : []
    }
    template: {
      containers: [
        {
          name: 'trainer'
          image: image
          // a start sends these back together with the variables of its run
          env: [{ name: 'ORT_DISABLE_TELEMETRY', value: '1' }]
          resources: { cpu: profile.cpu, memory: profile.memory }
        }
      ]
    }
  }
}

resource appStartsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(job.id, appName, roles.jobsOperator)
  scope: job
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.jobsOperator)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: environment
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}
