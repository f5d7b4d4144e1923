internal import Foundation
internal import ModelInference

/// Which artifacts make an ensemble and how they are joined: the JSON that `martlet model ensemble` reads.
///
/// ```
/// {"name": "reference", "features": "catalogue",
///  "members": [{"name": "xgb6", "model": "xgb6.martlet", "required": ["spread"]},
///              {"name": "lstm", "model": "lstm.martlet", "sequence": "windowed"}],
///  "meta": {"model": "meta.martlet"},            or {"weights": […], "bias": 0.1}, or left out: equal weights
///  "weights": [0.5, 0.5], "shares": {"meta": 0.6, "average": 0.4},
///  "calibration": {"kind": "platt", "slope": 1.1, "intercept": 0.02},   or "isotonic" with "x" and "y", or left out
///  "golden": "rows.csv", "metadata": {"trained": "2026-11-20"}}
/// ```
///
/// Paths count from the folder of the document. `features` is `"catalogue"`, a list of names, or left out: the members'
/// features in order of appearance. A meta-learner of trees reads the members' logits, in the members' order.
public struct EnsembleSpecification: Hashable, Sendable {
  /// One member.
  public struct Member: Hashable, Sendable, Decodable {
    /// What reports call it.
    public var name: String
    /// Path of its artifact.
    public var model: String
    /// Names of the features without which it does not take part.
    public var required: [String]?
    /// `windowed` or `stateful`, for a network that looks back.
    public var sequence: String?
  }

  struct Meta: Hashable, Sendable, Decodable {
    var model: String?
    var weights: [Double]?
    var bias: Double?
    var inputs: String?
  }

  struct Shares: Hashable, Sendable, Decodable {
    var meta: Double
    var average: Double
  }

  struct CalibrationDocument: Hashable, Sendable, Decodable {
    var kind: String
    var slope: Double?
    var intercept: Double?
    var x: [Double]?
    var y: [Double]?
  }

  /// `"catalogue"`, or names.
  enum Features: Hashable, Sendable, Decodable {
    case catalogue
    case names([String])

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let names = try? value.decode([String].self) {
        self = .names(names)
      } else if try value.decode(String.self) == "catalogue" {
        self = .catalogue
      } else {
        throw DecodingError.dataCorruptedError(in: value, debugDescription: "\"catalogue\" or a list of names")
      }
    }
  }

  private struct Document: Decodable {
    var name: String
    var features: Features?
    var members: [Member]
    var meta: Meta?
    var weights: [Double]?
    var shares: Shares?
    var calibration: CalibrationDocument?
    var golden: String?
    var metadata: [String: String]?
  }

  /// What the ensemble is called.
  public var name: String
  /// The members, in order.
  public var members: [Member]
  /// Path of the golden rows, where given.
  public var golden: String?
  /// Names and origins.
  public var metadata: [String: String]
  let features: Features?
  let meta: Meta?
  let weights: [Double]?
  let shares: Shares
  let calibration: Calibration

  private static let keys: Set = [
    "name", "features", "members", "meta", "weights", "shares", "calibration", "golden", "metadata",
  ]

  private static let innerKeys: [String: Set<String>] = [
    "members": ["name", "model", "required", "sequence"], "meta": ["model", "weights", "bias", "inputs"],
    "shares": ["meta", "average"], "calibration": ["kind", "slope", "intercept", "x", "y"],
  ]

  /// The first key that nothing reads, with those that would be: a misspelt one would be passed over in silence.
  private static func unknownKey(in object: [String: Any]) -> (place: String, known: Set<String>)? {
    if let unknown = object.keys.sorted().first(where: { !keys.contains($0) }) { return (unknown, keys) }
    for (key, known) in innerKeys.sorted(by: { $0.key < $1.key }) {
      let inner = object[key] as? [Any] ?? object[key].map { [$0] } ?? []
      for (place, each) in inner.enumerated() {
        guard let names = (each as? [String: Any])?.keys.sorted() else { continue }
        guard let unknown = names.first(where: { !known.contains($0) }) else { continue }
        return (key == "members" ? "\(key).[\(place)].\(unknown)" : "\(key).\(unknown)", known)
      }
    }
    return nil
  }

  /// The specification a JSON document holds.
  ///
  /// - Parameter source: what errors call the file.
  /// - Throws: one line that names the key and what was expected.
  public init(json: [UInt8], source: String) throws(ImportError) {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: source, place: place, expected: expected)
    }
    let document: Document
    do {
      let data = Data(json)
      let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      if let (place, keys) = Self.unknownKey(in: object) {
        throw refused(place, "one of the keys \(keys.sorted().joined(separator: ", "))")
      }
      document = try JSONDecoder().decode(Document.self, from: data)
    } catch let error as ImportError {
      throw error
    } catch let error as DecodingError {
      throw refused(error.place, error.words)
    } catch {
      throw refused("document", "JSON")
    }
    guard (1...EnsembleModel.memberCountMax).contains(document.members.count) else {
      throw refused("members", "1 to \(EnsembleModel.memberCountMax) members, not \(document.members.count)")
    }
    guard Set(document.members.map(\.name)).count == document.members.count else {
      throw refused("members", "members of different names")
    }
    name = document.name
    members = document.members
    golden = document.golden
    metadata = document.metadata ?? [:]
    features = document.features
    meta = document.meta
    weights = document.weights
    shares = document.shares ?? Shares(meta: 0.6, average: 0.4)
    switch (document.calibration?.kind, document.calibration) {
    case (nil, _): calibration = .identity
    case ("identity", _): calibration = .identity
    case ("platt", let given?):
      guard let slope = given.slope, let intercept = given.intercept else {
        throw refused("calibration", "a slope and an intercept")
      }
      calibration = .platt(slope: slope, intercept: intercept)
    case ("isotonic", let given?):
      guard let x = given.x, let y = given.y else { throw refused("calibration", "lists x and y") }
      calibration = .isotonic(x: x, y: y)
    case (let kind?, _): throw refused("calibration.kind", "identity, platt or isotonic, not \(kind)")
    }
    if let fault = calibration.fault { throw refused("calibration", fault) }
  }
}

extension DecodingError {
  /// The path of keys.
  var place: String {
    let path: [any CodingKey] =
      switch self {
      case .keyNotFound(let key, let context): context.codingPath + [key]
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
        context.codingPath
      @unknown default: []
      }
    return path.isEmpty
      ? "document" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
  }

  /// What was expected there.
  var words: String {
    switch self {
    case .keyNotFound: "this key"
    case .typeMismatch(let type, _), .valueNotFound(let type, _): "a value of type \(type)"
    case .dataCorrupted(let context): context.codingPath.isEmpty ? "JSON" : context.debugDescription
    @unknown default: "another value"
    }
  }
}
