import ArgumentParser
import Foundation

/// The command-line tool. Exit codes: 0 done, 1 a check failed, 2 bad input or usage.
@main struct Martlet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "A low-latency trading engine's tool: the same input gives the same bytes, every time.",
    discussion: """
      Exit codes: 0 done, 1 a check or verification failed, 2 bad input or usage (one line on standard error that names the
      file, the place and what was expected). Existing files are not overwritten without --force.
      """,
    subcommands: [
      BookCommand.self, FeaturesCommand.self, GarchCommand.self, HmmCommand.self, ModelCommand.self, SizeCommand.self,
      ReplayCommand.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as ToolFailure {
      fail(failure)
    } catch {
      // The parser's own errors: help and version requests are no errors.
      if exitCode(for: error) == .success {
        print(fullMessage(for: error))
        Foundation.exit(0)
      }
      // One line, as for every other bad input; `--help` has the rest.
      let line = message(for: error).split(separator: "\n").joined(separator: " ")
      FileHandle.standardError.write(Data("martlet: \(line)\n".utf8))
      Foundation.exit(2)
    }
  }

  private static func fail(_ failure: ToolFailure) -> Never {
    FileHandle.standardError.write(Data("martlet: \(failure.line)\n".utf8))
    Foundation.exit(failure.code)
  }
}

/// Ends the tool with one line on standard error.
struct ToolFailure: Error {
  let code: Int32
  let line: String

  /// Bad input or usage.
  static func badInput(_ line: some CustomStringConvertible) -> ToolFailure { ToolFailure(code: 2, line: "\(line)") }
  /// A check failed.
  static func checkFailed(_ line: String) -> ToolFailure { ToolFailure(code: 1, line: line) }
}
