using '../resources.bicep'

param environmentName = 'option'
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param allowedOrigins = ['https://scans.example.com']
param appSettings = {
  PUBLIC_URL: 'https://darkroom.example.com'
  RATE_LIMIT_KEY_PER_SECOND: '200'
  RATE_LIMIT_KEY_BURST: '600'
}
