using 'main.bicep'

// What azd deploys. Its environment (`azd env set NAME VALUE`) holds these; whoever deploys may make API keys.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param compute = readEnvironmentVariable('DARKROOM_COMPUTE', 't4')
param operators = [
  { id: readEnvironmentVariable('AZURE_PRINCIPAL_ID'), type: readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User') }
]
