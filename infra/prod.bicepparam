using 'main.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param maximumInstances = 100
param softDeleteDays = 14
param dailyLogGigabytes = '1'
param auditReads = true
