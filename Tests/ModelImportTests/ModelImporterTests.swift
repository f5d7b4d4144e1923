import Foundation
import ModelImport
import ModelInference
import Testing

// Goal: a user names a path, and gets a model or one line that teaches. Method: each format by its content under a wrong
// name, what cannot be read with its hint, and MLflow directories written on the spot.
struct ModelImporterTests {
  private static func inFolder<Answer>(_ files: [String: [UInt8]], _ body: (String) throws -> Answer) throws -> Answer {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
    return try body(folder.path)
  }

  @Test func `the format is told from the content, not from the name`() throws {
    let models: [(ImportedModel.Kind, [UInt8])] = [
      (.lightgbm, Array(SmallModels.lightGBM().utf8)), (.xgboost, Array(SmallModels.xgboost().utf8)),
      (.xgboost, try SmallModels.ubj(SmallModels.xgboost())), (.catboost, Array(SmallModels.catBoost().utf8)),
      (.catboost, Array(SmallModels.catBoost(SmallModels.catBoostGrown).utf8)),
    ]
    for (kind, bytes) in models {
      try Self.inFolder(["model.onnx": bytes]) { folder in
        let model = try ModelImporter.read(path: "\(folder)/model.onnx")
        let named = try ModelImporter.read(
          path: "\(folder)/model.onnx", format: ModelImporter.Format(rawValue: kind.rawValue))
        #expect(model.kind == kind && named == model && model.lineage.isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("", "not an empty file"), ("CBM1", "format=\"json\""), ("binf", "save_model() it as .ubj"),
    ("PK\u{3}\u{4}", "unpack it"), ("{\"a\": 1}", "learner"), ("{\"a\": ", "whole"), ("hello", "an MLflow directory"),
  ])
  func `what cannot be read is refused with what could be`(content: String, words: String) throws {
    try Self.inFolder(["m": Array(content.utf8)]) { folder in
      let error = #expect(throws: ImportError.self) { try ModelImporter.read(path: "\(folder)/m") }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `a pickle and a path that is none are refused`() throws {
    try Self.inFolder(["m": [0x80, 0x04, 0x95, 0]]) { folder in
      let error = #expect(throws: ImportError.self) { try ModelImporter.read(path: "\(folder)/m") }
      #expect(error?.description.contains("not a Python pickle") == true)
      #expect(throws: ImportError.self) { try ModelImporter.read(path: "\(folder)/none") }
      #expect(throws: ImportError.self) { try ModelImporter.read(path: folder, format: .lightgbm) }
    }
  }

  @Test func `ONNX goes to the reader that is given`() throws {
    let bytes: [UInt8] = [0x08, 0x08] + [UInt8](repeating: 0x12, count: 20)
    try Self.inFolder(["m.onnx": bytes]) { folder in
      let error = #expect(throws: ImportError.self) { try ModelImporter.read(path: "\(folder)/m.onnx") }
      #expect(error?.description.contains("not linked here") == true)
      let other = try LightGBMForest.model(Array(SmallModels.lightGBM().utf8), name: "m")
      let model = try ModelImporter.read(
        path: "\(folder)/m.onnx",
        onnx: { (path) throws(ImportError) in
          var model = other
          model.notes = [path]
          return model
        })
      #expect(model.notes == ["\(folder)/m.onnx"])
    }
  }

  // MARK: - MLflow

  @Test func `an MLflow directory is read through its flavour, and keeps its lineage`() throws {
    let files = ["MLmodel": Array(SmallModels.mlflow().utf8), "model.lgb": Array(SmallModels.lightGBM().utf8)]
    try Self.inFolder(files) { folder in
      for path in [folder, "\(folder)/"] {
        let model = try ModelImporter.read(path: path)
        #expect(model.kind == .lightgbm)
        #expect(
          model.lineage == [
            "mlflow.run_id": "aa11", "mlflow.model_uuid": "0123456789abcdef", "mlflow.mlflow_version": "2.14.1",
            "mlflow.library_version": "4.7.0", "mlflow.artifact_path": "model",
            "mlflow.utc_time_created": "2024-07-01 10:00:00.000000",
            "mlflow.signature.inputs":
              "[{\"type\": \"double\", \"name\": \"first\", \"required\": true}, {\"type\": \"double\", "
              + "\"name\": \"it's\", \"required\": true}]",
          ])
      }
    }
  }

  @Test(arguments: [
    ("  lightgbm:", "  sklearn:", "convert the pipeline with skl2onnx"), ("  lightgbm:", "  keras:", "not keras"),
    ("    data: model.lgb\n    lgb", "    lgb", "flavors.lightgbm: expected the key data"),
    ("data: model.lgb", "data: ../model.lgb", "a file of the directory"),
    ("data: model.lgb", "data: /etc/passwd", "a file of the directory"),
    ("data: model.lgb", "data: model.pkl", "pickle"),
    ("run_id: 'aa11'", "run_id: 'aa11", "a closing quote"), ("code: null", "data: x", "once"),
    ("data: model.lgb", "data: gone.lgb", "the file"), ("artifact_path", "\tartifact_path", "spaces, not tabs"),
  ])
  func `an MLflow directory that cannot be read is refused`(old: String, new: String, words: String) throws {
    let files = [
      "MLmodel": Array(SmallModels.mlflow([(old, new)]).utf8), "model.lgb": Array(SmallModels.lightGBM().utf8),
    ]
    try Self.inFolder(files) { folder in
      let error = #expect(throws: ImportError.self, "\(new)") { try ModelImporter.read(path: folder) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `CatBoost and XGBoost flavours name their files`() throws {
    let start = "flavors:\n  "
    let catboost = try MLflowDirectory(
      Array((start + "catboost:\n    data: model.cb\n    save_format: json\n").utf8), name: "MLmodel", directory: "d")
    #expect(catboost.format == .catboost && catboost.modelPath == "d/model.cb" && catboost.lineage.isEmpty)
    let error = #expect(throws: ImportError.self) {
      try MLflowDirectory(
        Array((start + "catboost:\n    data: model.cb\n    save_format: cbm\n").utf8), name: "MLmodel", directory: "d")
    }
    #expect(error?.description.contains("format=\"json\"") == true)
    let onnx = try MLflowDirectory(
      Array((start + "onnx:\n    data: model.onnx\n    onnx_version: 1.16.0\n").utf8), name: "MLmodel", directory: "d")
    #expect(onnx.format == .onnx && onnx.lineage == ["mlflow.library_version": "1.16.0"])
  }
}
