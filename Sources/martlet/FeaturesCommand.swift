import ArgumentParser
struct FeaturesCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "features") }
