// Parameters that the compiler cannot check by themselves: a deployment with a wrong one fails before anything is made.

@export()
@description('Image, refused unless it is named by its digest: a tag may mean another program tomorrow.')
func pinnedImage(image string) string =>
  contains(image, '@sha256:') ? image : fail('trainerImage must name an image by digest (name@sha256:...)')

@export()
@description('Digest in the name of a pinned image, as hex digits.')
func digestOf(image string) string => last(split(pinnedImage(image), '@sha256:'))

@description('Connections that we use of the 100 of Basic and the 1,000 of Standard; the rest is left to the scale controller, Event Grid and people who look.')
func ourConnections(tier string) int => tier == 'Basic' ? 80 : 920

@description('Connections of one instance of each group: every queue is received from and sent to, its dead letters are received, HTTP sends. The sweep runs once.')
func connectionsPerInstance(queues int) int => 3 * queues + 1

@export()
@description('Instances, refused where they would use up the connections of a tier.')
func fittingInstances(maximum int, tier string, queues int) int =>
  tier == 'Premium' || maximum * connectionsPerInstance(queues) + 1 <= ourConnections(tier)
    ? maximum
    : fail('maximumInstances is more than serviceBusTier has connections for (Basic 4, Standard 48)')

@export()
@description('Origins as browsers send them, without a slash at the end.')
func originsAsSent(origins string[]) string[] =>
  empty(filter(origins, one => endsWith(one, '/')))
    ? origins
    : fail('allowedOrigins are origins, without a slash at the end: https://scans.example.com')

@export()
@description('The month in which a budget began, refused where there is a budget and no month.')
func knownBeginning(monthlyBudget int, budgetStart string) string =>
  monthlyBudget == 0 || budgetStart != ''
    ? budgetStart
    : fail('monthlyBudget needs budgetStart: the first day of this month, and the same day ever after')
