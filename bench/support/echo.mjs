// Sends back what it is sent: what a message there and back takes without anything of ours.
process.on('message', message => process.send(message))
