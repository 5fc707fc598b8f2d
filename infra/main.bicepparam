using 'main.bicep'

// What azd deploys. Its environment (`azd env set NAME VALUE`) holds these; whoever deploys may make API keys.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param trainers = readEnvironmentVariable('TRAINERS', 'built-in')
param compute = readEnvironmentVariable('DARKROOM_COMPUTE', 't4')
param machineLearning = readEnvironmentVariable('DARKROOM_MACHINE_LEARNING', 'none')
param trainerCommand = readEnvironmentVariable('TRAINER_COMMAND', 'node /app/main.mjs')
param nodeVersion = readEnvironmentVariable('DARKROOM_NODE', '22')
// azd fills in the id, and the type for people only: infra/azd/check.js asks for that of a pipeline
param operators = [
  { id: readEnvironmentVariable('AZURE_PRINCIPAL_ID'), type: readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User') }
]
param monthlyBudget = int(readEnvironmentVariable('DARKROOM_MONTHLY_BUDGET', '0'))
param budgetStart = readEnvironmentVariable('DARKROOM_BUDGET_START', '')
