// Apache ECharts with what the studio draws, and no more: the rest stays out of the bundle.
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([CanvasRenderer, CustomChart, GridComponent, LineChart, ScatterChart, TooltipComponent]);

export { connect, type ECharts, type EChartsCoreOption, init } from "echarts/core";
