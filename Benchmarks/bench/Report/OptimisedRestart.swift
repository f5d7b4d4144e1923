import Foundation
import Glibc

/// Debug code is a hundred times slower, so a debug bench replaces itself by an optimised one.
///
/// `swift run bench` builds for debugging; by the time this runs SwiftPM has released its lock, so the same package can be built
/// again for release in the same folder.
enum OptimisedRestart {
  /// Set for the new process, which must not do it again.
  static let guardVariable = "BENCH_REEXEC"

  /// Whether this process runs unoptimised code.
  static let isDebug: Bool = {
    var isDebug = false
    assert(
      {
        isDebug = true
        return true
      }())
    return isDebug
  }()

  /// Replaces a debug process by `swift run -c release bench` with the same arguments; in a release process does nothing.
  ///
  /// - Returns: never in a debug process, except under the guard; then a line that says so and the report shows it.
  static func restartIfDebug(arguments: [String]) throws(UsageError) {
    guard isDebug, ProcessInfo.processInfo.environment[guardVariable] == nil else { return }
    // Not through the shell: arguments may hold anything.
    let command = command(executable: runningExecutable, root: packageRoot, arguments: arguments)
    // Overwrites: the new process must see it whatever was there.
    unsafe setenv(guardVariable, "1", 1)
    var strings = unsafe command.map { unsafe strdup($0) }
    unsafe strings.append(nil)
    // The vector ends with nil and lives until the process is replaced.
    unsafe _ = execvp(strings[0]!, &strings)
    let reason = unsafe String(cString: strerror(errno))
    throw UsageError(
      "cannot start '\(command[0])' to build optimised code (\(reason)); run: \(command.joined(separator: " "))")
  }

  /// The command that builds and runs the same bench optimised.
  static func command(executable: String, root: String, arguments: [String]) -> [String] {
    var command = ["swift", "run", "--package-path", root]
    // <scratch>/<triple>/debug/bench: another scratch folder than the usual is kept.
    let scratch = executable.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    if !scratch.isEmpty, scratch != root + "/.build" { command += ["--scratch-path", scratch] }
    return command + ["-c", "release", "bench"] + arguments
  }

  /// The package's folder: where this source lay when it was compiled, four folders up.
  static let packageRoot: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.path
  }()

  private static var runningExecutable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  }
}
